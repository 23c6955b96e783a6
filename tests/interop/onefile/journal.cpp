// SPDX-License-Identifier: GPL-2.0-or-later
#include "journal.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace shale::onefile {

void Journal::begin_session(unsigned number) {
    session_ = number;
    step_ = 0;
    lines_.clear();
}

void Journal::begin(const char* name) {
    name_ = name;
    line_ = std::to_string(++step_) + " " + name;
    failed_ = false;
}

void Journal::say(const char* format, ...) {
    char text[200];
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    line_ += " ";
    line_ += text;
}

void Journal::answer(long value) {
    failed_ = value < 0;
    say("= %s", value < 0 ? strerrorname_np(static_cast<int>(-value)) ?: "?"
                          : std::to_string(value).c_str());
}

void Journal::end() {
    if (verbose_)
        std::printf("%u: %s\n", session_, line_.c_str());
    lines_.push_back(line_);
    if (lines_.size() > kept)
        lines_.pop_front();
    ++made_;
    Count& count = counts_[name_];
    ++count.made;
    count.done += !failed_;
}

void Journal::print_last() const {
    std::printf("the last operations of session %u:\n", session_);
    for (const std::string& line : lines_)
        std::printf("  %s\n", line.c_str());
    std::printf("and then: %s\n", line_.c_str());
}

void Journal::print_counts() const {
    for (const auto& [name, count] : counts_)
        std::printf("%-20s %7u, %7u of them without an error\n", name.c_str(), count.made,
                    count.done);
}

} // namespace shale::onefile
