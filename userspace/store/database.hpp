// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct sqlite3;
struct sqlite3_stmt;

namespace shale {

/// An open SQLite file. Every failure is an Error that names the file.
class Database {
public:
    /// Opens @p path or makes it, readable by its owner only. Waits up to ten seconds for others.
    explicit Database(const std::string& path);

    /// Whether @p path is no sound SQLite file. One that does not exist is.
    static bool is_damaged(const std::string& path);

    /// Runs statements that take no values and give no rows.
    void execute(const char* sql);
    const std::string& path() const { return path_; }
    [[noreturn]] void fail();

private:
    friend class Statement;
    struct Close {
        void operator()(sqlite3* handle) const;
    };
    std::string path_;
    std::unique_ptr<sqlite3, Close> handle_;
};

/// One SQL statement with values bound in order of its question marks.
class Statement {
public:
    /// @p database outlives the statement.
    Statement(Database& database, const char* sql);

    Statement& bind(const std::string& value);
    Statement& bind(int64_t value);
    /// Moves to the next row; false at the end.
    bool step();
    /// For a statement without rows.
    void run() { step(); }

    std::string text(int column) const;
    int64_t number(int column) const;

private:
    struct Finalize {
        void operator()(sqlite3_stmt* handle) const;
    };
    Database& database_;
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
    int bound_ = 0;
};

/// What happens around the changes of a transaction, with the write lock held, and after them.
class TransactionHooks {
public:
    virtual ~TransactionHooks() = default;
    virtual void began() = 0;
    virtual void committing() = 0;
    virtual void committed() = 0;
};

/// Holds the write lock of the database; rolls back unless committed.
class Transaction {
public:
    /// @p hooks may be null; they outlive the object.
    explicit Transaction(Database& database, TransactionHooks* hooks = nullptr);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

private:
    void roll_back() noexcept;

    Database& database_;
    TransactionHooks* hooks_;
    bool open_ = true;
};

} // namespace shale
