#include "daemon/store/sqlite/database.h"

#include <sys/stat.h>

namespace nexus::sqlite {
namespace {

/// The loop, the workers of the disk, and some of those that talk to providers.
constexpr std::size_t kMostReaders = 12;
/// So many of the idle ones keep the pages that they have read.
constexpr std::size_t kKeepPages = 4;

void check(sqlite3* handle, int result) {
  if (result != SQLITE_OK) throw Failure(result, sqlite3_errmsg(handle));
}

/// Whether the write-ahead log has what the file itself may lack, as after a sudden end.
bool has_log(const std::string& path) {
  struct stat about {};
  return stat((path + "-wal").c_str(), &about) == 0 && about.st_size > 0;
}

/// A URI by which SQLite takes a file for all there is: it looks for no log, and makes none.
std::string whole_file(const std::string& path) {
  std::string uri = "file:";
  for (const char each : path)
    uri += each == '%' ? "%25" : each == '?' ? "%3f" : each == '#' ? "%23" : std::string(1, each);
  return uri + "?immutable=1";
}

int flags_of(Database::Mode mode, bool is_whole) {
  if (is_whole) return SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
  if (mode == Database::Mode::only_look) return SQLITE_OPEN_READWRITE;
  return mode == Database::Mode::read_only ? SQLITE_OPEN_READONLY
                                           : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
}

}  // namespace

bool Query::next() {
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  throw Failure(result, sqlite3_errmsg(sqlite3_db_handle(statement_)));
}

std::string Query::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return bytes ? std::string(bytes, size) : std::string();
}

std::optional<std::int64_t> Query::optional_number(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return number(column);
}

// Texts are stored as blobs where the column says BLOB and as text elsewhere; SQLite compares the
// two as different values, so every text parameter is bound as text and sealed columns read as
// bytes.
void Query::bind_one(std::string_view value) {
  check(sqlite3_db_handle(statement_),
        sqlite3_bind_text(statement_, next_parameter_++, value.data() ? value.data() : "",
                          static_cast<int>(value.size()), SQLITE_STATIC));
}

void Query::bind_one(std::int64_t value) {
  check(sqlite3_db_handle(statement_), sqlite3_bind_int64(statement_, next_parameter_++, value));
}

void Query::bind_one(const std::optional<std::int64_t>& value) {
  if (value) return bind_one(*value);
  check(sqlite3_db_handle(statement_), sqlite3_bind_null(statement_, next_parameter_++));
}

Database::Database(const Place& place, Mode mode) {
  const bool is_whole = mode == Mode::only_look && !has_log(place.path);
  const auto name = is_whole ? whole_file(place.path) : place.path;
  const int result = sqlite3_open_v2(
      name.c_str(), &handle_, flags_of(mode, is_whole) | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW,
      place.vfs);
  if (result != SQLITE_OK) {
    const std::string what = handle_ ? sqlite3_errmsg(handle_) : "out of memory";
    sqlite3_close(handle_);
    throw Failure(result, what);
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, 5000);
  // Whatever the file's own schema does with a row (a trigger, a view, what a reference does when
  // its row goes) would be signed by us: none of it is done.
  for (const int feature : {SQLITE_DBCONFIG_ENABLE_TRIGGER, SQLITE_DBCONFIG_ENABLE_VIEW})
    sqlite3_db_config(handle_, feature, 0, nullptr);
  try {
    if (mode == Mode::only_look && !is_whole) keep_log_as_it_is();
    execute("PRAGMA trusted_schema=OFF; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-512;");
    if (mode == Mode::read_write)
      execute("PRAGMA foreign_keys=OFF; PRAGMA secure_delete=ON; PRAGMA synchronous=FULL;");
  } catch (...) {
    sqlite3_close(handle_);
    throw;
  }
}

/// The index of the log is then in memory. It comes before anything is read.
void Database::keep_log_as_it_is() {
  sqlite3_busy_timeout(handle_, 0);
  execute("PRAGMA locking_mode=EXCLUSIVE; PRAGMA query_only=ON;");
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Database::~Database() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
  sqlite3_close(handle_);
}

Query Database::query(const char* sql) {
  auto& statement = statements_[sql];
  if (!statement)
    check(handle_,
          sqlite3_prepare_v3(handle_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr));
  return Query(statement);
}

void Database::execute(const std::string& sql) {
  check(handle_, sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr));
}

std::unique_ptr<Database> look_into(const std::string& path) {
  try {
    auto database = std::make_unique<Database>(path, Database::Mode::only_look);
    database->query("PRAGMA user_version").run();  // until then it is not locked
    return database;
  } catch (const Failure& failure) {
    if (!failure.is_busy()) throw;
    return std::make_unique<Database>(path, Database::Mode::read_only);
  }
}

Transaction::~Transaction() {
  if (open_) sqlite3_exec(database_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Readers::Loan Readers::borrow() {
  std::unique_lock lock(mutex_);
  one_idle_.wait(lock, [this] { return !idle_.empty() || open_ < kMostReaders; });
  if (!idle_.empty()) {
    auto database = std::move(idle_.back());
    idle_.pop_back();
    return {*this, std::move(database)};
  }
  ++open_;
  lock.unlock();
  try {
    auto database = std::make_unique<Database>(place_, Database::Mode::read_only);
    prepare_(*database);
    return {*this, std::move(database)};
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

void Readers::prepare_with(std::function<void(Database&)> prepare) {
  prepare_ = std::move(prepare);
  open_ -= idle_.size();
  idle_.clear();
}

void Readers::give_back(std::unique_ptr<Database> database) {
  const std::lock_guard lock(mutex_);
  if (database) {
    if (idle_.size() >= kKeepPages) sqlite3_db_release_memory(database->handle());
    idle_.push_back(std::move(database));
  } else {
    --open_;
  }
  one_idle_.notify_one();
}

}  // namespace nexus::sqlite
