#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/descriptor.h"
#include "common/error.h"
#include "common/secret.h"
#include "daemon/store/sqlite/database.h"

namespace nexus::sqlite {

/// Has a vault say that it was restored from a backup of that time, until it is accepted.
void put_restored(Database& writer, std::int64_t made_at);

/// How many transactions there were, and which rows there are: in the database, under a code, and
/// the number once more in a file that is not beside it. A vault that was put back to what it was,
/// and a row that somebody has taken away, are noticed by it.
///
/// Which rows: the exclusive or of a keyed hash of each one's kind and id, so that it is kept up to
/// date without reading the others, and nobody without the key can make it fit.
class Tally {
 public:
  /// `key` (32 bytes) and `writer` outlive it. `head_path`: "" for no file.
  Tally(const Secret& key, Database& writer, std::string head_path);
  Tally(const Tally&) = delete;
  Tally& operator=(const Tally&) = delete;

  /// What such a file says; nothing where nobody with the key has written it.
  static std::optional<std::int64_t> read_head(const Secret& key, const std::string& path);

  /// In a transaction, once. With `adopted` what is there is taken as it is. In words what is
  /// wrong,
  /// "" for nothing. Throws Failure.
  std::string open(bool adopted);
  /// That all that is there now is right, what `open` has found, too. In a transaction.
  void accept();

  // Around each transaction of the writer.
  void begin();
  void before_commit();
  void committed();

  /// Whether the rows of this moment are those that were counted. Throws Failure.
  bool fits(Database& reader) const;

  /// Called by triggers.
  void toggle(std::string_view kind, std::string_view id);

 private:
  using Rows = std::array<unsigned char, 32>;
  struct Value {
    std::int64_t writes = 0;
    Rows rows{};
  };
  static std::string code(const Secret& with, char use, std::string_view text);
  std::string text_of(const Value& value) const;
  std::optional<Value> value_in(std::string_view text) const;
  void write_head(std::int64_t writes);
  Rows rows_in(Database& database) const;
  void add(Rows& rows, std::string_view kind, std::string_view id) const;
  void put(const Value& value);

  const Secret& key_;
  Database& writer_;
  const std::string head_path_;
  Descriptor head_{-1};
  Value value_;
  Value pending_;
  std::int64_t changes_before_ = 0;
  bool is_accepted_ = false;  ///< in this transaction
  bool is_suspect_ = false;   ///< the file stays as it is: it says what was
};

}  // namespace nexus::sqlite
