// SPDX-License-Identifier: GPL-2.0-or-later
#pragma once

#include <deque>
#include <map>
#include <string>

namespace shale::onefile {

/// What was done, for whoever wants to know how it came to a difference.
class Journal {
public:
    void be_verbose() { verbose_ = true; }
    /// What this operation does is not expected, so that it must be found.
    void leave_out(const std::string& name) { left_out_ = name; }
    bool is_left_out() const { return name_ == left_out_; }

    void begin_session(unsigned number);
    void begin(const char* name);
    /// More of the operation's text.
    void say(const char* format, ...) __attribute__((format(printf, 2, 3)));
    void answer(long value);
    void end();

    void print_last() const;
    /// How often there was each operation, and how often without an error.
    void print_counts() const;
    unsigned made() const { return made_; }

private:
    struct Count {
        unsigned made = 0, done = 0;
    };
    static constexpr size_t kept = 34;

    bool verbose_ = false, failed_ = false;
    std::string left_out_, name_ = "none", line_;
    std::deque<std::string> lines_;
    std::map<std::string, Count> counts_;
    unsigned session_ = 0, step_ = 0, made_ = 0;
};

} // namespace shale::onefile
