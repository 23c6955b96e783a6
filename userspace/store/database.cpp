// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/database.hpp"

#include <fcntl.h>
#include <sqlite3.h>

#include "base/at.hpp"
#include "base/error.hpp"

namespace shale {

void Database::Close::operator()(sqlite3* handle) const {
    sqlite3_close_v2(handle);
}

Database::Database(const std::string& path) : path_(path) {
    open_at(AT_FDCWD, path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
    sqlite3* handle = nullptr;
    const int result = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr);
    handle_.reset(handle);
    if (result != SQLITE_OK)
        fail();
    sqlite3_busy_timeout(handle, 10000);
    execute("PRAGMA foreign_keys = ON");
}

bool Database::is_damaged(const std::string& path) {
    sqlite3* handle = nullptr;
    const int opened = sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE, nullptr);
    const std::unique_ptr<sqlite3, Close> closes(handle);
    if (opened != SQLITE_OK)
        return false; // it does not exist, or whoever opens it next will say what else it is
    sqlite3_stmt* check = nullptr;
    int result = sqlite3_prepare_v2(handle, "PRAGMA quick_check(1)", -1, &check, nullptr);
    bool is_sound = false;
    if (result == SQLITE_OK && (result = sqlite3_step(check)) == SQLITE_ROW) {
        const unsigned char* said = sqlite3_column_text(check, 0);
        is_sound = said && std::string(reinterpret_cast<const char*>(said)) == "ok";
    }
    sqlite3_finalize(check);
    return result == SQLITE_ROW ? !is_sound : result == SQLITE_CORRUPT || result == SQLITE_NOTADB;
}

void Database::execute(const char* sql) {
    if (sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK)
        fail();
}

void Database::fail() {
    const int code = sqlite3_errcode(handle_.get());
    throw Error(path_, sqlite3_errmsg(handle_.get()),
                code == SQLITE_BUSY ? "another command is at work: try again"
                : code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? "the database is damaged: 'shale store rebuild' makes a new one"
                                         : "");
}

void Statement::Finalize::operator()(sqlite3_stmt* handle) const {
    sqlite3_finalize(handle);
}

Statement::Statement(Database& database, const char* sql) : database_(database) {
    sqlite3_stmt* handle = nullptr;
    if (sqlite3_prepare_v2(database.handle_.get(), sql, -1, &handle, nullptr) != SQLITE_OK)
        database.fail();
    handle_.reset(handle);
}

Statement& Statement::bind(const std::string& value) {
    if (sqlite3_bind_text64(handle_.get(), ++bound_, value.data(), value.size(), SQLITE_TRANSIENT,
                            SQLITE_UTF8) != SQLITE_OK)
        database_.fail();
    return *this;
}

Statement& Statement::bind(int64_t value) {
    if (sqlite3_bind_int64(handle_.get(), ++bound_, value) != SQLITE_OK)
        database_.fail();
    return *this;
}

bool Statement::step() {
    const int result = sqlite3_step(handle_.get());
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        database_.fail();
    return result == SQLITE_ROW;
}

std::string Statement::text(int column) const {
    const unsigned char* text = sqlite3_column_text(handle_.get(), column);
    const int size = sqlite3_column_bytes(handle_.get(), column);
    return text ? std::string(reinterpret_cast<const char*>(text), static_cast<size_t>(size)) : "";
}

int64_t Statement::number(int column) const {
    return sqlite3_column_int64(handle_.get(), column);
}

Transaction::Transaction(Database& database, TransactionHooks* hooks) : database_(database), hooks_(hooks) {
    database_.execute("BEGIN IMMEDIATE");
    try {
        if (hooks_)
            hooks_->began();
    } catch (...) {
        roll_back();
        throw;
    }
}

Transaction::~Transaction() {
    if (open_)
        roll_back();
}

void Transaction::roll_back() noexcept {
    try {
        database_.execute("ROLLBACK");
    } catch (const Error&) {
        // SQLite rolled back by itself, which is what was wanted.
    }
}

void Transaction::commit() {
    if (hooks_)
        hooks_->committing();
    database_.execute("COMMIT");
    open_ = false;
    if (hooks_)
        hooks_->committed();
}

} // namespace shale
