#include "daemon/store/sqlite/tally.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <algorithm>

#include "common/bytes.h"
#include "common/regular_file.h"
#include "common/rfc3339.h"

namespace nexus::sqlite {
namespace {

constexpr std::size_t kCode = 16;
constexpr std::size_t kNumber = 8;

constexpr auto kCounting =
    "CREATE TEMP TRIGGER come_connection AFTER INSERT ON main.connections BEGIN "
    "SELECT tally('connection', NEW.id); END;"
    "CREATE TEMP TRIGGER gone_connection AFTER DELETE ON main.connections BEGIN "
    "SELECT tally('connection', OLD.id); END;"
    "CREATE TEMP TRIGGER come_provider AFTER INSERT ON main.providers BEGIN "
    "SELECT tally('provider', NEW.id); END;"
    "CREATE TEMP TRIGGER gone_provider AFTER DELETE ON main.providers BEGIN "
    "SELECT tally('provider', OLD.id); END;"
    "CREATE TEMP TRIGGER come_api_key AFTER INSERT ON main.api_keys BEGIN "
    "SELECT tally('api_key', NEW.id); END;"
    "CREATE TEMP TRIGGER gone_api_key AFTER DELETE ON main.api_keys BEGIN "
    "SELECT tally('api_key', OLD.id); END;";

constexpr auto kAllRows =
    "SELECT 'connection', id FROM connections UNION ALL SELECT 'provider', id FROM providers "
    "UNION ALL SELECT 'api_key', id FROM api_keys";

std::string number_text(std::int64_t number) {
  std::string text;
  for (std::size_t i = 0; i < kNumber; ++i)
    text += static_cast<char>(static_cast<std::uint64_t>(number) >> (8 * i));
  return text;
}

std::int64_t number_in(std::string_view text) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < kNumber; ++i)
    number |= std::uint64_t{static_cast<unsigned char>(text[i])} << (8 * i);
  return static_cast<std::int64_t>(number);
}

std::string_view text_in(sqlite3_value* value) {
  const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
  return {bytes ? bytes : "", static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

void tally(sqlite3_context* context, int, sqlite3_value** values) {
  without_memory_is_told(context, [&] {
    static_cast<Tally*>(sqlite3_user_data(context))->toggle(text_in(values[0]), text_in(values[1]));
    sqlite3_result_null(context);
  });
}

/// "" for a vault that was not, or has been accepted since.
std::string restored_from(Database& database) {
  auto query = database.query("SELECT CAST(value AS TEXT) FROM meta WHERE key = 'restored'");
  return query.next() ? "it was restored from a backup of " + query.text(0) : std::string();
}

}  // namespace

void put_restored(Database& writer, std::int64_t made_at) {
  writer.query("INSERT OR REPLACE INTO meta (key, value) VALUES ('restored', CAST(?1 AS BLOB))")
      .bind(rfc3339(made_at))
      .run();
}

Tally::Tally(const Secret& key, Database& writer, std::string head_path)
    : key_(key), writer_(writer), head_path_(std::move(head_path)) {
  constexpr int flags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
  const int result = sqlite3_create_function_v2(writer_.handle(), "tally", 2, flags, this, tally,
                                                nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) throw Failure(result, sqlite3_errmsg(writer_.handle()));
}

std::string Tally::open(bool adopted) {
  std::optional<Value> stored;
  bool is_there = false;
  {
    auto query = writer_.query("SELECT value FROM meta WHERE key = 'tally'");
    is_there = query.next();
    if (is_there) stored = value_in(query.text(0));
  }
  const auto head = read_head(key_, head_path_);
  if (!head_path_.empty())
    head_ = Descriptor(::open(head_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  value_ = adopted || !stored ? Value{stored ? stored->writes : 0, rows_in(writer_)} : *stored;
  writer_.execute(kCounting);
  pending_ = value_;
  if (adopted) {
    accept();
    return "";
  }
  auto trouble = restored_from(writer_);
  if (!trouble.empty()) {
    // Whatever else does not fit comes of that.
  } else if (!stored) {
    trouble = is_there ? "what counts its writes is not what nexusd wrote"
                       : "what counts its writes was removed";
  } else if (head && *head > stored->writes) {
    trouble = "it was put back to what it was " + std::to_string(*head - stored->writes) +
              (*head - stored->writes == 1 ? " write ago" : " writes ago");
  } else if (stored->rows != rows_in(writer_)) {
    trouble = "connections, providers or API keys were taken away, or put back";
  }
  is_suspect_ = !trouble.empty();
  return trouble;
}

void Tally::accept() {
  is_accepted_ = true;
  pending_.writes = std::max(pending_.writes, read_head(key_, head_path_).value_or(0)) + 1;
  pending_.rows = rows_in(writer_);
  put(pending_);
  writer_.query("DELETE FROM meta WHERE key = 'restored'").run();
}

void Tally::begin() {
  is_accepted_ = false;
  pending_ = value_;
  changes_before_ = sqlite3_total_changes64(writer_.handle());
}

void Tally::before_commit() {
  const bool is_kept = !is_suspect_ || is_accepted_;
  if (!is_kept || sqlite3_total_changes64(writer_.handle()) == changes_before_) return;
  ++pending_.writes;
  put(pending_);
}

void Tally::committed() {
  const bool is_further = pending_.writes != value_.writes;
  value_ = pending_;
  if (is_accepted_) is_suspect_ = false;
  if (is_further) write_head(value_.writes);
}

bool Tally::fits(Database& reader) const {
  auto query = reader.query("SELECT value FROM meta WHERE key = 'tally'");
  if (!query.next()) return false;
  const auto value = value_in(query.text(0));
  return value && value->rows == rows_in(reader);
}

void Tally::toggle(std::string_view kind, std::string_view id) {
  add(pending_.rows, kind, id);
}

std::string Tally::code(const Secret& with, char use, std::string_view text) {
  const auto key = with.expose();
  std::string all(1, use);
  all += text;
  std::string code(kCode, '\0');
  crypto_generichash(room_of(code), code.size(), bytes_of(all), all.size(), bytes_of(key),
                     key.size());
  return code;
}

std::string Tally::text_of(const Value& value) const {
  auto text = number_text(value.writes);
  text.append(reinterpret_cast<const char*>(value.rows.data()), value.rows.size());
  return text + code(key_, 'v', text);
}

std::optional<Tally::Value> Tally::value_in(std::string_view text) const {
  Value value;
  const auto size = kNumber + value.rows.size();
  if (text.size() != size + kCode || text.substr(size) != code(key_, 'v', text.substr(0, size)))
    return std::nullopt;
  value.writes = number_in(text);
  std::copy_n(text.begin() + kNumber, value.rows.size(), value.rows.begin());
  return value;
}

/// Two slots, written in turn, so that one that is cut short leaves the other.
std::optional<std::int64_t> Tally::read_head(const Secret& key, const std::string& path) {
  constexpr std::size_t slot = kNumber + kCode;
  std::array<char, 2 * slot> bytes{};
  const auto file = open_regular_file(path, O_NOFOLLOW);
  const auto got = pread(file.get(), bytes.data(), bytes.size(), 0);
  std::optional<std::int64_t> latest;
  for (ssize_t end = slot; end <= got; end += slot) {
    const std::string_view text(bytes.data() + end - slot, slot);
    if (text.substr(kNumber) != code(key, 'h', text.substr(0, kNumber))) continue;
    latest = std::max(latest.value_or(0), number_in(text));
  }
  return latest;
}

void Tally::write_head(std::int64_t writes) {
  constexpr std::size_t slot = kNumber + kCode;
  const auto number = number_text(writes);
  const auto text = number + code(key_, 'h', number);
  [[maybe_unused]] const auto written =
      pwrite(head_.get(), text.data(), slot, writes % 2 * static_cast<off_t>(slot));
}

Tally::Rows Tally::rows_in(Database& database) const {
  Rows rows{};
  auto query = database.query(kAllRows);
  while (query.next()) add(rows, query.text(0), query.text(1));
  return rows;
}

void Tally::add(Rows& rows, std::string_view kind, std::string_view id) const {
  const auto key = key_.expose();
  std::string text(kind);
  text.append(1, '\0').append(id);
  Rows hash{};
  crypto_generichash(hash.data(), hash.size(), bytes_of(text), text.size(), bytes_of(key),
                     key.size());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] ^= hash[i];
}

void Tally::put(const Value& value) {
  writer_.query("INSERT OR REPLACE INTO meta (key, value) VALUES ('tally', CAST(?1 AS BLOB))")
      .bind(text_of(value))
      .run();
}

}  // namespace nexus::sqlite
