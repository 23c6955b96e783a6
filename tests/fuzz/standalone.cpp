// SPDX-License-Identifier: GPL-2.0-or-later
//
// Where there is no libFuzzer: replays the files of a corpus, and then changes them at random for
// as long as it is told. It takes libFuzzer's options of the same names, and ignores all others.
//
//   PROGRAM [-max_total_time=SECONDS] [-seed=NUMBER] [FILE|DIRECTORY]...
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size);

// What goes wrong ends in abort(), which tells the input.
extern "C" const char* __asan_default_options() { return "abort_on_error=1"; }
extern "C" const char* __ubsan_default_options() { return "abort_on_error=1"; }

namespace {

namespace fs = std::filesystem;

using Random = std::mt19937_64;

constexpr std::size_t longest = 5000;

// What changes one kind of value into another.
constexpr std::string_view tokens[] = {"/",  "..", ".",  "//", "/../", "y", "x",   "U+", "L-",
                                       "00", "fb", "\0", "ff", "trusted.overlay.", "user.overlay.",
                                       "overlay.", "4294967295", "999999999"};

struct Corpus {
    std::vector<std::string> inputs;
    std::string current; // what is being tried, to be told if it ends the program

    void read(const fs::path& path) {
        std::ifstream file(path, std::ios::binary);
        if (!file) {
            std::fprintf(stderr, "%s: can't be read\n", path.c_str());
            std::exit(2);
        }
        inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }

    void add(const fs::path& path) {
        if (!fs::is_directory(path))
            return read(path);
        std::vector<fs::path> files;
        for (const auto& entry : fs::directory_iterator(path))
            files.push_back(entry.path());
        std::sort(files.begin(), files.end());
        for (const auto& file : files)
            read(file);
    }
};

Corpus corpus;

void tell_input() {
    std::fprintf(stderr, "the input, %zu bytes: ", corpus.current.size());
    for (const unsigned char c : corpus.current)
        std::fprintf(stderr, "%02x", c);
    std::fprintf(stderr, "\n");
}

// In memory that ends where the input does, so that nobody reads beyond it unseen.
void try_input(std::string input) {
    corpus.current = std::move(input);
    const auto size = corpus.current.size();
    const auto bytes = std::make_unique<unsigned char[]>(size);
    std::memcpy(bytes.get(), corpus.current.data(), size);
    LLVMFuzzerTestOneInput(bytes.get(), size);
}

std::size_t below(Random& random, std::size_t limit) { return limit ? random() % limit : 0; }

void change(Random& random, std::string& input) {
    const auto at = below(random, input.size() + 1);
    switch (below(random, 8)) {
    case 0: // a bit
        if (at < input.size())
            input[at] = static_cast<char>(input[at] ^ 1 << below(random, 8));
        break;
    case 1: // a byte
        if (at < input.size())
            input[at] = static_cast<char>(random());
        break;
    case 2:
        input.insert(at, 1, static_cast<char>(random()));
        break;
    case 3:
        input.erase(at, below(random, 8));
        break;
    case 4:
        input.insert(at, tokens[below(random, std::size(tokens))]);
        break;
    case 5: // once more
        input.insert(at, input.substr(below(random, input.size()), below(random, 300)));
        break;
    case 6: // the end of another
        input.erase(at);
        input += corpus.inputs[below(random, corpus.inputs.size())].substr(0, longest);
        break;
    case 7: // a length where records have it
        if (input.size() > 2)
            input[1 + below(random, 2)] = static_cast<char>(input.size());
        break;
    }
    if (input.size() > longest)
        input.resize(longest);
}

std::size_t change_for(std::chrono::seconds time, std::uint64_t seed) {
    const auto end = std::chrono::steady_clock::now() + time;
    Random random(seed);
    std::size_t nr = 0;

    for (; std::chrono::steady_clock::now() < end; nr++) {
        auto input = corpus.inputs[below(random, corpus.inputs.size())];
        for (auto changes = 1 + below(random, 4); changes; changes--)
            change(random, input);
        try_input(std::move(input));
    }
    return nr;
}

} // namespace

int main(int argc, char** argv) {
    std::chrono::seconds time(0);
    std::uint64_t seed = std::random_device{}();

    for (int i = 1; i < argc; i++) {
        const std::string_view argument(argv[i]);
        if (argument.starts_with("-max_total_time="))
            time = std::chrono::seconds(std::atoi(argv[i] + std::strlen("-max_total_time=")));
        else if (argument.starts_with("-seed="))
            seed = std::strtoull(argv[i] + std::strlen("-seed="), nullptr, 10);
        else if (!argument.starts_with('-'))
            corpus.add(argument);
    }
    corpus.inputs.emplace_back();
    std::signal(SIGABRT, [](int) {
        tell_input();
        std::_Exit(1);
    });

    std::fprintf(stderr, "seed %llu\n", static_cast<unsigned long long>(seed));
    for (const auto& input : corpus.inputs)
        try_input(input);
    const auto changed = change_for(time, seed);
    std::fprintf(stderr, "%zu inputs of the corpus, %zu changed ones\n", corpus.inputs.size(), changed);
    return 0;
}
