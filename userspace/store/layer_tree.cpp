// SPDX-License-Identifier: LGPL-2.1-or-later
#include "store/layer_tree.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <mutex>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/at.hpp"
#include "base/digest.hpp"
#include "base/error.hpp"
#include "base/file_blocks.hpp"
#include "base/names_in.hpp"
#include "base/parallel.hpp"
#include "base/stat_text.hpp"
#include "base/xattr.hpp"
#include "ondisk/marks.hpp"
#include "store/attributes.hpp"

namespace shale {

ContentDigest::ContentDigest() : block_(file_block) {}

void ContentDigest::add(uint64_t offset, const char* bytes, size_t size) {
    while (size > 0) {
        if (offset / file_block != number_) {
            end_block(file_block);
            number_ = offset / file_block;
        }
        const size_t at = offset % file_block;
        const size_t now = std::min(size, file_block - at);
        std::memcpy(block_.data() + at, bytes, now);
        used_ = at + now;
        offset += now;
        bytes += now;
        size -= now;
    }
}

void ContentDigest::end_block(size_t size) {
    if (used_ == 0)
        return;
    if (!is_zero(block_.data(), used_)) {
        std::array<unsigned char, 8> number;
        for (size_t i = 0; i < number.size(); i++)
            number[i] = static_cast<unsigned char>(number_ >> (8 * i));
        sha_.update(number.data(), number.size());
        sha_.update(block_.data(), size);
    }
    std::memset(block_.data(), 0, used_);
    used_ = 0;
}

std::string ContentDigest::finish(uint64_t size) {
    end_block(std::min<uint64_t>(file_block, size - std::min(size, number_ * file_block)));
    number_ = 0;
    return std::exchange(sha_, Sha256()).finish().hex();
}

std::string content_digest(int fd, const std::string& shown, const std::function<void(uint64_t bytes)>& read) {
    const auto size = static_cast<uint64_t>(stat_of(fd, shown).st_size);
    ContentDigest digest;
    std::vector<char> buffer(size > 0 ? file_block : 0);
    // Asking for holes is worth it in files that may have several.
    const bool may_have_holes = size > file_block;
    uint64_t end = 0;
    for (uint64_t offset = 0; offset < size;) {
        if (may_have_holes)
            offset = next_data(fd, offset, size);
        const size_t got = offset < size ? read_block(fd, buffer.data(), offset, shown) : 0;
        if (got == 0)
            break;
        digest.add(offset, buffer.data(), got);
        offset += got;
        end = offset;
        read(got);
    }
    return digest.finish(std::max(end, size));
}

namespace {

/// All but what files hold, and which of them have to be read for that.
class Walk {
public:
    Walk(int root, std::string shown, const ContentDigests* known)
        : root_(root), shown_(std::move(shown)), known_(known) {}

    void run(const std::function<void()>& ask) {
        ask_ = &ask;
        struct stat st = stat_of(root_, shown_);
        add(root_, ".", "", st);
        enter(open_at(root_, ".", O_RDONLY | O_DIRECTORY), "");
    }

    LayerTree tree;
    std::vector<size_t> files;

private:
    void enter(const UniqueFd& directory, const std::string& prefix) {
        (*ask_)();
        std::vector<std::string> names = names_in(directory.get());
        std::sort(names.begin(), names.end());
        for (const std::string& name : names) {
            struct stat st;
            if (fstatat(directory.get(), name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0)
                throw Error::from_errno(shown_ + "/" + prefix + name, errno);
            add(directory.get(), name, prefix + name, st);
            if (!S_ISDIR(st.st_mode))
                continue;
            const UniqueFd below(openat(directory.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (!below)
                throw Error::from_errno(shown_ + "/" + prefix + name, errno);
            enter(below, prefix + name + "/");
        }
    }

    void add(int directory, const std::string& name, const std::string& path, const struct stat& st) {
        LayerObject object;
        object.path = path;
        object.mode = st.st_mode;
        object.uid = st.st_uid;
        object.gid = st.st_gid;
        object.modified = st.st_mtim;
        if (!S_ISDIR(st.st_mode) && st.st_nlink > 1 &&
            !ondisk::is_whiteout_device(st.st_mode, st.st_rdev)) { // whiteouts share one, as it happens
            const auto [first, is_new] = links_.try_emplace({st.st_dev, st.st_ino}, path);
            if (!is_new)
                object.link = first->second;
        }
        if (S_ISREG(st.st_mode)) {
            object.size = static_cast<uint64_t>(st.st_size);
            if (object.link.empty() && !is_known(object, st.st_ino))
                files.push_back(tree.size());
        } else if (S_ISLNK(st.st_mode)) {
            object.content = read_link_at(directory, name);
        } else if (S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) {
            object.content = std::to_string(major(st.st_rdev)) + ":" + std::to_string(minor(st.st_rdev));
        }
        add_xattrs(object, XattrTarget(directory, name));
        tree.push_back(std::move(object));
    }

    bool is_known(LayerObject& object, ino_t number) const {
        const auto found = known_ ? known_->find(number) : ContentDigests::const_iterator();
        if (!known_ || found == known_->end())
            return false;
        object.content = found->second;
        return true;
    }

    static void add_xattrs(LayerObject& object, const XattrTarget& target) {
        for (const std::string& xattr : target.names()) {
            if (is_of_this_machine(xattr))
                continue;
            if (const std::optional<std::string> value = target.get(xattr))
                object.xattrs.emplace(xattr, Digest::of(*value).hex());
        }
    }

    const int root_;
    const std::string shown_;
    const ContentDigests* const known_;
    const std::function<void()>* ask_ = nullptr;
    std::map<std::pair<dev_t, ino_t>, std::string> links_; ///< the first name
};

/// Links followed nowhere, and no fifo that someone has put there waited for.
std::string digest_of_file(int root, const LayerObject& object, const std::string& shown,
                           const std::function<void(uint64_t)>& read) {
    const UniqueFd fd = try_open_beneath(root, object.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!fd)
        throw Error::from_errno(shown, errno);
    return content_digest(fd.get(), shown, read);
}

} // namespace

LayerTree read_tree(int root, const std::string& shown, const TreeReading& reading) {
    std::atomic<uint64_t> unread = 0;
    const auto tick = [&] {
        const uint64_t bytes = unread.exchange(0);
        if (reading.advance)
            reading.advance(bytes);
    };
    Walk walk(root, shown, reading.known);
    walk.run(tick);
    in_parallel(
        walk.files.size(), reading.jobs,
        [&](size_t index, const std::atomic<bool>& stop) {
            LayerObject& object = walk.tree[walk.files[index]];
            try {
                object.content = digest_of_file(root, object, shown + "/" + object.path, [&](uint64_t bytes) {
                    unread += bytes;
                    if (stop)
                        throw Cancelled(shown);
                });
            } catch (const Cancelled&) {
                // Whoever stopped it has a reason of its own to tell.
            } catch (const Error& error) {
                if (reading.unreadable == Unreadable::refused)
                    throw;
                object.content = std::string("unreadable: ") + error.what();
            }
        },
        tick);
    return std::move(walk.tree);
}

namespace {

/// Without blanks, '=' and control characters: they separate.
std::string escaped(const std::string& text) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string result;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte > ' ' && byte < 0x7f && c != '%' && c != '=')
            result += c;
        else
            (((result += '%') += digits[byte >> 4]) += digits[byte & 15]);
    }
    return result;
}

std::string octal(mode_t mode) {
    char text[16];
    std::snprintf(text, sizeof(text), "%o", static_cast<unsigned>(mode));
    return text;
}

} // namespace

std::string text_of(const LayerTree& tree) {
    std::string text;
    for (const LayerObject& object : tree) {
        text += "/" + escaped(object.path) + " " + octal(object.mode) + " " + std::to_string(object.uid) + " " +
                std::to_string(object.gid) + " " + time_text(object.modified) + " " + std::to_string(object.size) +
                " =" + escaped(object.content) + " =" + escaped(object.link);
        for (const auto& [name, digest] : object.xattrs)
            text += " " + escaped(name) + "=" + digest;
        text += "\n";
    }
    return text;
}

namespace {

/// One line of the text, from left to right.
class Line {
public:
    Line(std::string_view text, const std::string& shown) : text_(text), shown_(shown) {}

    bool at_end() const { return text_.empty(); }

    std::string_view word() {
        const size_t end = std::min(text_.find(' '), text_.size());
        const std::string_view word = text_.substr(0, end);
        text_.remove_prefix(std::min(end + 1, text_.size()));
        return word;
    }

    template <typename Number> Number number(std::string_view text, int base = 10) const {
        Number value{};
        const char* const end = text.data() + text.size();
        const auto [stop, failure] = std::from_chars(text.data(), end, value, base);
        if (failure != std::errc() || stop != end)
            fail();
        return value;
    }
    template <typename Number> Number number(int base = 10) { return number<Number>(word(), base); }

    /// What stands behind @p before.
    std::string text_behind(char before) {
        const std::string_view text = word();
        if (text.empty() || text.front() != before)
            fail();
        return plain(text.substr(1));
    }

    std::string plain(std::string_view text) const {
        std::string result;
        for (size_t i = 0; i < text.size(); i++) {
            if (text[i] != '%') {
                result += text[i];
                continue;
            }
            result += static_cast<char>(number<unsigned>(text.substr(i + 1, 2), 16));
            i += 2;
        }
        return result;
    }

    [[noreturn]] void fail() const { throw Error(shown_, "is no list of what a layer holds"); }

private:
    std::string_view text_;
    const std::string& shown_;
};

LayerObject parse_object(Line line) {
    LayerObject object;
    object.path = line.text_behind('/');
    object.mode = line.number<mode_t>(8);
    object.uid = line.number<uid_t>();
    object.gid = line.number<gid_t>();
    const std::string_view time = line.word();
    const size_t dot = time.find('.');
    if (dot == std::string_view::npos)
        line.fail();
    object.modified.tv_sec = line.number<time_t>(time.substr(0, dot));
    object.modified.tv_nsec = line.number<long>(time.substr(dot + 1));
    object.size = line.number<uint64_t>();
    object.content = line.text_behind('=');
    object.link = line.text_behind('=');
    while (!line.at_end()) {
        const std::string_view xattr = line.word();
        const size_t equals = xattr.find('=');
        if (equals == std::string_view::npos)
            line.fail();
        object.xattrs.emplace(line.plain(xattr.substr(0, equals)), xattr.substr(equals + 1));
    }
    return object;
}

} // namespace

LayerTree parse_tree(const std::string& text, const std::string& shown) {
    LayerTree tree;
    for (size_t begin = 0; begin < text.size();) {
        const size_t end = std::min(text.find('\n', begin), text.size());
        tree.push_back(parse_object(Line(std::string_view(text).substr(begin, end - begin), shown)));
        begin = end + 1;
    }
    return tree;
}

namespace {

/// Whether a walk comes to @p one before @p other: '/' counts as less than all else.
bool comes_before(const std::string& one, const std::string& other) {
    return std::lexicographical_compare(one.begin(), one.end(), other.begin(), other.end(), [](char a, char b) {
        const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
        return rank(a) < rank(b);
    });
}

const char* type_name(mode_t mode) {
    return S_ISREG(mode)   ? "a file"
           : S_ISDIR(mode) ? "a directory"
           : S_ISLNK(mode) ? "a symbolic link"
           : S_ISCHR(mode) ? "a character device"
           : S_ISBLK(mode) ? "a block device"
           : S_ISFIFO(mode) ? "a fifo"
                            : "a socket";
}

class TreeComparison {
public:
    explicit TreeComparison(std::vector<TreeDifference>& differences) : differences_(differences) {}

    void compare(const LayerObject& expected, const LayerObject& seen) {
        path_ = "/" + expected.path;
        if ((expected.mode & S_IFMT) != (seen.mode & S_IFMT))
            return note("", type_name(expected.mode), type_name(seen.mode));
        check("mode ", octal(expected.mode & 07777), octal(seen.mode & 07777));
        check("owner ", owner(expected), owner(seen));
        check("time ", time_text(expected.modified), time_text(seen.modified));
        check("size ", std::to_string(expected.size), std::to_string(seen.size));
        check(S_ISREG(expected.mode) ? "content " : S_ISLNK(expected.mode) ? "target " : "device ", expected.content,
              seen.content);
        check("", linked(expected), linked(seen));
        compare_xattrs(expected.xattrs, seen.xattrs);
    }

    void one_sided(const LayerObject& object, bool is_expected) {
        path_ = "/" + object.path;
        const std::string is = type_name(object.mode);
        note("", is_expected ? is : "nothing", is_expected ? "nothing" : is);
    }

private:
    static std::string owner(const LayerObject& object) {
        return std::to_string(object.uid) + ":" + std::to_string(object.gid);
    }
    static std::string linked(const LayerObject& object) {
        return object.link.empty() ? "no further name of another" : "a link of /" + object.link;
    }

    void check(const std::string& what, const std::string& expected, const std::string& seen) {
        if (expected != seen)
            note(what, expected, seen);
    }
    void note(const std::string& what, const std::string& expected, const std::string& seen) {
        differences_.push_back({path_, what + expected, what + seen});
    }

    void compare_xattrs(const std::map<std::string, std::string>& expected,
                        const std::map<std::string, std::string>& seen) {
        const auto text = [](const auto& xattrs, const std::string& name) {
            const auto found = xattrs.find(name);
            return found == xattrs.end() ? std::string("none") : "sha256:" + found->second;
        };
        std::map<std::string, std::string> all = expected;
        all.insert(seen.begin(), seen.end());
        for (const auto& [name, value] : all)
            check("attribute " + name + " ", text(expected, name), text(seen, name));
    }

    std::vector<TreeDifference>& differences_;
    std::string path_;
};

} // namespace

std::vector<TreeDifference> compare_trees(const LayerTree& expected, const LayerTree& seen) {
    std::vector<TreeDifference> differences;
    TreeComparison comparison(differences);
    auto one = expected.begin();
    auto other = seen.begin();
    while (one != expected.end() || other != seen.end()) {
        if (other == seen.end() || (one != expected.end() && comes_before(one->path, other->path)))
            comparison.one_sided(*one++, true);
        else if (one == expected.end() || comes_before(other->path, one->path))
            comparison.one_sided(*other++, false);
        else
            comparison.compare(*one++, *other++);
    }
    return differences;
}

} // namespace shale
