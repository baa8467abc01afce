#pragma once

#include <sqlite3.h>

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace nexus::sqlite {

/// What SQLite could not do. It never leaves the store: its methods turn it into an Error.
class Failure : public std::runtime_error {
 public:
  Failure(int code, const std::string& what) : std::runtime_error(what), code_(code) {}
  int code() const { return code_; }
  /// What a unique index allows once is there already. Every other constraint (a key of ours, a
  /// reference to a row that is missing) is a mistake of the store's own.
  bool is_taken() const { return code_ == SQLITE_CONSTRAINT_UNIQUE; }
  bool is_damage() const { return (code_ & 0xff) == SQLITE_CORRUPT || code_ == SQLITE_NOTADB; }
  bool is_busy() const { return (code_ & 0xff) == SQLITE_BUSY; }
  bool is_full() const { return (code_ & 0xff) == SQLITE_FULL; }

 private:
  int code_;
};

/// A prepared statement during one use; it is reset, not freed, when the use ends.
class Query {
 public:
  explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
  ~Query() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// Binds the next parameters in order. Texts have to outlive the query.
  template <class... T>
  Query& bind(const T&... values) {
    (bind_one(values), ...);
    return *this;
  }
  /// Steps; false when there is no further row.
  bool next();
  void run() {
    while (next()) {
    }
  }

  std::string text(int column) const;
  std::int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  std::optional<std::int64_t> optional_number(int column) const;

 private:
  void bind_one(std::string_view value);
  void bind_one(std::int64_t value);
  void bind_one(const std::optional<std::int64_t>& value);
  sqlite3_stmt* statement_;
  int next_parameter_ = 1;
};

/// Where a database is: in a file or, for as long as somebody has it open, in the memory of this
/// process, where it goes by a name.
struct Place {
  Place(std::string file) : path(std::move(file)) {}
  /// SQLite's memdb shares a database among all of the process that name it with a slash in front
  /// (since 3.36): the name is to be a new one.
  static Place memory(const std::string& name) {
    Place place("/" + name);
    place.vfs = "memdb";
    return place;
  }

  std::string path;
  const char* vfs = nullptr;  ///< SQLite's usual one
};

/// One connection to a database.
class Database {
 public:
  enum class Mode {
    read_write,
    read_only,
    /// No file beside it is made, changed or removed. Busy while another program has it open, and
    /// the other way round.
    only_look,
  };
  Database(const Place& place, Mode mode);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// The statement is prepared once for each address of `sql`: pass literals.
  Query query(const char* sql);
  void execute(const std::string& sql);
  int changes() const { return sqlite3_changes(handle_); }
  sqlite3* handle() { return handle_; }

 private:
  void keep_log_as_it_is();

  sqlite3* handle_ = nullptr;
  std::map<const char*, sqlite3_stmt*> statements_;
};

/// To look at a database, and leave it and what is beside it as it is; along with another program
/// that has it open, where one does. Throws Failure.
std::unique_ptr<Database> look_into(const std::string& path);

/// Rolls back unless it was committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) {
    database_.execute("BEGIN IMMEDIATE");
  }
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    database_.execute("COMMIT");
    open_ = false;
  }

 private:
  Database& database_;
  bool open_ = true;
};

/// In a function that SQLite calls: nothing is thrown through its frames.
template <class Body>
void without_memory_is_told(sqlite3_context* context, const Body& body) {
  try {
    body();
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  }
}

/// What is read while it lives is of one moment.
class Snapshot {
 public:
  explicit Snapshot(Database& database) : database_(database) { database_.query("BEGIN").run(); }
  ~Snapshot() { sqlite3_exec(database_.handle(), "COMMIT", nullptr, nullptr, nullptr); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

 private:
  Database& database_;
};

/// Read-only connections to one database, lent out one to a thread. There are a few, and who finds
/// none idle waits for one: SQLite keeps the file of one that is closed open for as long as another
/// one is, so that after a flood there would be as many for ever.
class Readers {
 public:
  explicit Readers(Place place) : place_(std::move(place)) {}
  /// What is done to each of them when it is opened; before they are used by more than one thread.
  void prepare_with(std::function<void(Database&)> prepare);
  class Loan {
   public:
    Loan(Readers& readers, std::unique_ptr<Database> database)
        : readers_(readers), database_(std::move(database)) {}
    ~Loan() { readers_.give_back(std::move(database_)); }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;
    Database& operator*() { return *database_; }
    Database* operator->() { return database_.get(); }

   private:
    Readers& readers_;
    std::unique_ptr<Database> database_;
  };
  Loan borrow();

 private:
  void give_back(std::unique_ptr<Database> database);
  Place place_;
  std::function<void(Database&)> prepare_ = [](Database&) {};
  std::mutex mutex_;
  std::condition_variable one_idle_;
  std::vector<std::unique_ptr<Database>> idle_;
  std::size_t open_ = 0;  ///< idle and lent
};

}  // namespace nexus::sqlite
