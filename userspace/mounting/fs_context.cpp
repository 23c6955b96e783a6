// SPDX-License-Identifier: LGPL-2.1-or-later
#include "mounting/fs_context.hpp"

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include <sys/mount.h>
#include <unistd.h>

#include "base/error.hpp"

namespace shale::mounting {

namespace {

/// fsconfig(2) takes values of up to 256 bytes, the null byte included.
constexpr std::size_t longest_value = 255;

std::string way_out(int code) {
    switch (code) {
    case EPERM:
        return "mounting needs root: run it with sudo";
    case ENODEV:
        return "as root, run: modprobe shale";
    default:
        return "";
    }
}

std::string reason_of(int code) {
    if (code == ENODEV)
        return "the running kernel does not know this file system type";
    return std::generic_category().message(code);
}

} // namespace

FsContext::FsContext(const std::string& type)
    : type_(type), fd_(fsopen(type.c_str(), FSOPEN_CLOEXEC)) {
    if (!fd_)
        throw Error(type, reason_of(errno), way_out(errno));
}

void FsContext::configure(unsigned command, const char* key, const void* value, int aux,
                          const std::string& doing) {
    if (fsconfig(fd_.get(), command, key, value, aux) != 0)
        fail(doing, errno);
}

void FsContext::set_string(const std::string& key, const std::string& value) {
    if (value.size() > longest_value)
        throw Error("option " + key, "its value has " + std::to_string(value.size()) + " bytes",
                    "the kernel takes up to " + std::to_string(longest_value));
    configure(FSCONFIG_SET_STRING, key.c_str(), value.c_str(), 0, "option " + key + "=" + value);
}

void FsContext::set_flag(const std::string& key) {
    configure(FSCONFIG_SET_FLAG, key.c_str(), nullptr, 0, "option " + key);
}

void FsContext::set_fd(const std::string& key, int fd) {
    configure(FSCONFIG_SET_FD, key.c_str(), nullptr, fd, "option " + key);
}

void FsContext::create() {
    configure(FSCONFIG_CMD_CREATE, nullptr, nullptr, 0, "mount");
}

UniqueFd FsContext::mount(unsigned attributes) {
    UniqueFd mount(fsmount(fd_.get(), FSMOUNT_CLOEXEC, attributes));
    if (!mount)
        fail("mount", errno);
    return mount;
}

void FsContext::fail(const std::string& thing, int code) {
    ContextLog log(type_);
    std::array<char, 4096> line;
    for (ssize_t size; (size = read(fd_.get(), line.data(), line.size())) > 0;)
        log.add({line.data(), static_cast<std::size_t>(size)});
    const std::string said = log.summary();
    throw Error(thing, said.empty() ? reason_of(code) : said, way_out(code));
}

void ContextLog::add(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\0'))
        line.remove_suffix(1);
    if (line.size() < 3 || line[1] != ' ' || line[0] == 'i')
        return;
    std::string& kept = line[0] == 'e' ? errors_ : warnings_;
    line.remove_prefix(2);
    if (line.starts_with(type_ + ": "))
        line.remove_prefix(type_.size() + 2);
    if (!kept.empty())
        kept += ", ";
    kept += line;
}

std::string ContextLog::summary() const {
    return errors_.empty() ? warnings_ : errors_;
}

} // namespace shale::mounting
