#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <thread>

#include "common/id.h"
#include "common/new_file.h"
#include "daemon/log.h"
#include "daemon/private_file.h"
#include "daemon/store/audit_log.h"
#include "daemon/store/sqlite/audit_chain_writer.h"
#include "daemon/store/sqlite/audit_verification.h"
#include "daemon/store/sqlite/row_macs.h"
#include "daemon/store/sqlite/schema.h"
#include "daemon/store/sqlite/whole_copy.h"

namespace nexus {
namespace {

using sqlite::Database;
using sqlite::Failure;
using sqlite::Transaction;

std::string head_of(const std::string& data_dir) {
  return data_dir + "/audit.head";
}

std::string log_in(const std::string& data_dir) {
  return data_dir + "/audit.db";
}

// Every commit rewrites the last page of the table, so the longer a checkpoint waits, the fewer
// copies it makes (4096 pages are 16 MiB).
constexpr int kCheckpointPages = 4096;
/// A log that never rests is never copied to its end, so it would grow for ever: beyond this the
/// writers wait until it is.
constexpr int kMostPages = 4 * kCheckpointPages;
/// Pages that are given back in one transaction, as writers wait meanwhile: 1 MiB.
#define PAGES_AT_ONCE "256"

/// What removed records leave free can be given back only where the file was made so. One that was
/// not is written anew, once, unless that would take long: then its space is used again, and its
/// size bounded, all the same.
void let_it_shrink(Database& database, const std::string& path) {
  constexpr std::int64_t kIncremental = 2;
  constexpr off_t kSoonWritten = 64 * 1024 * 1024;
  auto query = database.query("PRAGMA auto_vacuum");
  const bool does = query.next() && query.number(0) == kIncremental;
  query.run();
  struct stat about {};
  if (does || stat(path.c_str(), &about) != 0 || about.st_size > kSoonWritten) return;
  try {
    // The copy is a file, and not in memory as what is temporary is else.
    database.execute("PRAGMA temp_store=FILE; VACUUM; PRAGMA temp_store=MEMORY");
    sqlite3_wal_checkpoint_v2(database.handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr,
                              nullptr);
  } catch (const Failure& failure) {
    log(LogLevel::warn, "audit_log_not_rewritten", {{"error", failure.what()}});
  }
}

/// Commits with synchronous=NORMAL: a record survives the death of the process, which is what a
/// token's reading is worth, without an fsync for each batch. Checkpoints, which do sync, run on a
/// thread of their own: no caller waits for them.
class SqliteAuditLog : public AuditLog {
 public:
  /// `head_path`: "" in memory.
  SqliteAuditLog(const sqlite::Place& place, const AuditKeys& keys, VaultStage stage,
                 std::string head_path, std::optional<AuditHead> head)
      : path_(place.path),
        head_path_(std::move(head_path)),
        row_keys_(sqlite::always(keys.row_key)),
        writer_(place, Database::Mode::read_write),
        readers_(place) {
    writer_.execute("PRAGMA auto_vacuum=INCREMENTAL");  // of a new file, or with the next VACUUM
    sqlite::migrate_audit(writer_);
    let_it_shrink(writer_, path_);
    sqlite::use_row_keys(writer_, row_keys_);
    if (stage == VaultStage::sealed)
      writer_.execute("UPDATE audit SET mac = " AUDIT_MAC("seq", "record") " WHERE mac IS NULL");
    readers_.prepare_with([this](Database& reader) { sqlite::use_row_keys(reader, row_keys_); });
    writer_.execute("PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0;");
    sqlite3_wal_hook(writer_.handle(), on_commit, this);
    chain_.emplace(writer_, keys.audit_key, stage, std::move(head),
                   AuditHead::read(head_path_, AuditChain(keys.audit_key)));
    checkpointer_ = std::thread([this] { checkpoint_when_asked(); });
  }

  ~SqliteAuditLog() override {
    {
      const std::lock_guard lock(checkpoint_mutex_);
      stopping_ = true;
    }
    wake_.notify_one();
    checkpointer_.join();
  }

  Result<void> append(const std::vector<std::string>& records) override {
    const std::lock_guard lock(mutex_);
    try {
      Transaction transaction(writer_);
      auto end = chain_->end();
      for (const auto& record : records) end = chain_->insert(end, record);
      transaction.commit();
      chain_->committed(std::move(end));
      return {};
    } catch (const Failure& failure) {
      return unwritable(failure);
    }
  }

  Result<std::vector<Entry>> find(const Filter& filter) override {
    try {
      auto reader = readers_.borrow();
      auto query = reader->query(
          // A record that cannot be read, or is not what was written, passes no filter but the one
          // by number, and is told as "".
          "SELECT seq, iif(mac IS " AUDIT_MAC("seq", "record") ", record, '') FROM audit "
          "WHERE seq < coalesce(?7, 9223372036854775807) "
          "AND ((?1 = '' AND ?2 = '' AND ?3 IS NULL AND ?4 IS NULL) "
          "OR iif(json_valid(record), (?1 = '' OR json_extract(record, '$.event') = ?1) "
          "AND (?2 = '' OR json_extract(record, '$.connection') = ?2 "
          "     OR json_extract(record, '$.provider') = ?2) "
          "AND (?3 IS NULL OR json_extract(record, '$.at') >= ?3) "
          "AND (?4 IS NULL OR json_extract(record, '$.at') <= ?4), 0) "
          "AND mac IS " AUDIT_MAC("seq", "record") ") "
          "ORDER BY seq DESC LIMIT ?5 OFFSET ?6");
      query.bind(filter.event, filter.subject, filter.since, filter.until, filter.limit,
                 filter.offset, filter.before);
      std::vector<Entry> entries;
      while (query.next()) entries.push_back({query.number(0), query.text(1)});
      return entries;
    } catch (const Failure& failure) {
      return unreadable(failure);
    }
  }

  Result<std::vector<Age>> oldest(std::int64_t limit) override {
    try {
      auto reader = readers_.borrow();
      auto query = reader->query(
          "SELECT seq, iif(json_valid(record), "
          "iif(json_type(record, '$.at') = 'integer', json_extract(record, '$.at'), NULL), NULL) "
          "FROM audit WHERE seq > 0 ORDER BY seq LIMIT ?1");
      query.bind(limit);
      std::vector<Age> ages;
      while (query.next()) ages.push_back({query.number(0), query.optional_number(1)});
      return ages;
    } catch (const Failure& failure) {
      return unreadable(failure);
    }
  }

  Result<std::int64_t> size() override {
    try {
      auto reader = readers_.borrow();
      const sqlite::Snapshot one_moment(*reader);
      const auto number = [&reader](const char* pragma) {
        auto query = reader->query(pragma);
        return query.next() ? query.number(0) : 0;
      };
      return (number("PRAGMA page_count") - number("PRAGMA freelist_count")) *
             number("PRAGMA page_size");
    } catch (const Failure& failure) {
      return unreadable(failure);
    }
  }

  Result<void> remove_until(std::int64_t sequence, const std::string& record) override {
    const std::lock_guard lock(mutex_);
    try {
      Transaction transaction(writer_);
      auto end = chain_->insert(chain_->end(), record);
      chain_->begin_behind(sequence);
      writer_.query("DELETE FROM audit WHERE seq <= ?1").bind(sequence).run();
      transaction.commit();
      chain_->committed(std::move(end));
      return {};
    } catch (const Failure& failure) {
      return unwritable(failure);
    }
  }

  Result<bool> give_back_space() override {
    const std::lock_guard lock(mutex_);
    try {
      const auto before = free_pages();
      if (before == 0) return false;
      writer_.execute("PRAGMA incremental_vacuum(" PAGES_AT_ONCE ")");
      const auto after = free_pages();
      return after > 0 && after < before;
    } catch (const Failure& failure) {
      return unwritable(failure);
    }
  }

  void on_growth(std::function<void()> grown) override {
    const std::lock_guard lock(checkpoint_mutex_);
    grown_ = std::move(grown);
  }

  Result<api::AuditVerdict> verify(const std::atomic<bool>& stop) override {
    try {
      std::unique_lock lock(mutex_);
      const auto end = chain_->end();
      const bool has_head = head_path_.empty() || is_head(end);
      lock.unlock();
      auto verdict = sqlite::verify_audit(readers_, chain_->chain(), end, stop);
      if (!has_head) verdict.findings.push_back({AuditFault::head, end.sequence, end.sequence});
      return verdict;
    } catch (const Failure& failure) {
      return unreadable(failure);
    }
  }

  Result<void> copy_into(const std::string& directory) override {
    // The head first: a log that is further than it has lost nothing.
    std::string head;
    {
      const std::lock_guard lock(mutex_);
      head = AuditHead::text(chain_->end(), chain_->chain());
    }
    if (!make_new_file(head_of(directory), head))
      return Error{ErrorCode::internal_error,
                   std::string("the audit log cannot be copied: ") + std::strerror(errno),
                   "free some disk space; nothing was lost"};
    try {
      auto reader = readers_.borrow();
      sqlite::copy_whole(*reader, log_in(directory));
      return {};
    } catch (const Failure& failure) {
      return unreadable(failure);
    }
  }

  const std::string& trouble() const override { return chain_->trouble(); }

 private:
  static Error unwritable(const Failure& failure) {
    return {ErrorCode::audit_unavailable,
            std::string("the audit log cannot be written: ") + failure.what(),
            failure.is_damage()
                ? "nexusd(8), DAMAGE, has the way out; nothing is handed out without a record"
                : "free some disk space; nothing is handed out without a record"};
  }

  static Error unreadable(const Failure& failure) {
    return {ErrorCode::audit_unavailable,
            std::string("the audit log cannot be read: ") + failure.what(),
            failure.is_damage() ? "nexusd(8), DAMAGE, has the way out" : "see nexusd's log"};
  }

  bool is_head(const AuditPlace& end) const {
    const auto head = AuditHead::read(head_path_, chain_->chain());
    return head && head->sequence == end.sequence && head->link == end.link;
  }

  std::int64_t free_pages() {
    auto query = writer_.query("PRAGMA freelist_count");
    return query.next() ? query.number(0) : 0;
  }

  static int on_commit(void* self, sqlite3*, const char*, int pages) {
    auto& log = *static_cast<SqliteAuditLog*>(self);
    if (pages < log.copied_pages_) log.copied_pages_ = 0;  // it has begun anew
    if (pages - log.copied_pages_ < kCheckpointPages) return SQLITE_OK;
    log.copied_pages_ = pages;
    const std::lock_guard lock(log.checkpoint_mutex_);
    log.pages_to_copy_ = pages;
    log.wake_.notify_one();
    return SQLITE_OK;
  }

  void checkpoint_when_asked() {
    std::unique_lock lock(checkpoint_mutex_);
    while (true) {
      wake_.wait(lock, [&] { return stopping_ || pages_to_copy_ > 0; });
      if (stopping_) return;
      const bool too_long = pages_to_copy_ >= kMostPages;
      pages_to_copy_ = 0;
      lock.unlock();
      checkpoint(too_long);
      lock.lock();
      if (grown_) grown_();
    }
  }

  void checkpoint(bool to_the_end) {
    try {
      Database database(path_, Database::Mode::read_write);
      // Writers, the loop among them, do not wait long for somebody who reads.
      sqlite3_busy_timeout(database.handle(), 100);
      const auto copy = [&](int mode) {
        sqlite3_wal_checkpoint_v2(database.handle(), nullptr, mode, nullptr, nullptr);
      };
      copy(SQLITE_CHECKPOINT_PASSIVE);  // most of it, while others write
      if (!to_the_end) return;
      const std::lock_guard writers_wait(mutex_);
      copy(SQLITE_CHECKPOINT_RESTART);
    } catch (const Failure&) {
      // The next time tries again.
    }
  }

  std::string path_;
  std::string head_path_;
  const sqlite::RowKeySource row_keys_;
  std::mutex mutex_;
  Database writer_;
  sqlite::Readers readers_;
  std::optional<sqlite::AuditChainWriter> chain_;  ///< under mutex_, but for what never changes
  int copied_pages_ = 0;  ///< of the write-ahead log, when it was last asked for; under mutex_
  std::mutex checkpoint_mutex_;
  std::condition_variable wake_;
  int pages_to_copy_ = 0;
  std::function<void()> grown_;
  bool stopping_ = false;
  std::thread checkpointer_;
};

Error log_not_opened(const std::string& path, const Failure& failure) {
  return {ErrorCode::vault_unusable, "cannot open the audit log " + path + ": " + failure.what(),
          failure.is_damage() ? "nexusd(8), DAMAGE, has the way out"
                              : "check the file, its permissions and the free space"};
}

}  // namespace

Result<std::unique_ptr<AuditLog>> open_sqlite_audit_log(const std::string& data_dir,
                                                        const AuditKeys& keys, VaultStage stage) {
  const auto path = log_in(data_dir);
  const auto head_path = head_of(data_dir);
  NEXUS_CHECK(check_private_database("the audit log", path));
  NEXUS_TRY(auto head, AuditHead::open(head_path));
  try {
    return std::unique_ptr<AuditLog>(
        std::make_unique<SqliteAuditLog>(path, keys, stage, head_path, std::move(head)));
  } catch (const Failure& failure) {
    return log_not_opened(path, failure);
  }
}

Result<void> look_into_sqlite_audit_log(const std::string& data_dir) {
  const auto path = log_in(data_dir);
  NEXUS_CHECK(check_private_database("the audit log", path));
  NEXUS_CHECK(check_private("the audit log's head", head_of(data_dir)));
  if (access(path.c_str(), F_OK) != 0) return {};
  try {
    sqlite::check_audit_schema(*sqlite::look_into(path));
  } catch (const Failure& failure) {
    return log_not_opened(path, failure);
  }
  return {};
}

Result<std::unique_ptr<AuditLog>> open_sqlite_audit_log_in_memory(const AuditKeys& keys) {
  try {
    return std::unique_ptr<AuditLog>(std::make_unique<SqliteAuditLog>(
        sqlite::Place::memory(new_uuid()), keys, VaultStage::with_codes, "", std::nullopt));
  } catch (const Failure& failure) {
    return Error{ErrorCode::vault_unusable,
                 std::string("cannot make an audit log in memory: ") + failure.what(),
                 "make room in memory"};
  }
}

}  // namespace nexus
