// Runs a fuzz target without libFuzzer: every seed as it is, then fixed mutations of it. The same bytes every time, so a failure
// here fails again; the search for new inputs is `./run fuzz`.
//
//     csv_replay FOLDER-OR-FILE...
//
// The input under trial is kept in NAME_replay.input beside the program, so that a crash leaves the bytes that caused it.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace {

namespace fs = std::filesystem;

constexpr int mutations_per_seed = 200;  // about a second for a corpus of a hundred seeds

/// splitmix64: small, fixed, the same everywhere. Source: Steele, Lea & Flood (2014), OOPSLA, 453-472.
class Words {
 public:
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(next() % bound); }  // the bias does no harm here

 private:
  std::uint64_t state_ = 1;
};

std::string read(fs::path const& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Trial {
 public:
  explicit Trial(std::string record) : record_(std::move(record)), file_(::open(record_.c_str(), O_RDWR | O_CREAT, 0644)) {}

  void run(std::string const& input) {
    // Whole before the target sees it: a crash must not lose the evidence. One open file, since truncating and closing one for
    // each input makes some file systems flush it.
    if (file_ >= 0 && (::pwrite(file_, input.data(), input.size(), 0) < 0 || ::ftruncate(file_, off_t(input.size())) < 0))
      std::perror(record_.c_str());
    // A copy of the exact size, so that a sanitizer sees one byte too far.
    const std::vector<std::uint8_t> bytes(input.begin(), input.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
    ++runs_;
  }
  long runs() const { return runs_; }
  void forget() const { fs::remove(record_); }

 private:
  std::string record_;
  int file_;
  long runs_ = 0;
};

/// One to four small harms: a byte changed, dropped, repeated or put in, a piece cut out, the end cut off.
std::string mutated(std::string input, std::string const& other, Words& words) {
  using namespace std::string_view_literals;
  constexpr std::string_view telling = "\0\n\r\t\"'\\,;#[]{}()=<>+-*/.@0189eEnN\x7f\x80\xbf\xc3\xe2\xff"sv;
  for (std::size_t harms = 1 + words.below(4); harms > 0; --harms) {
    const std::size_t at = words.below(input.size() + 1);
    const std::size_t length = std::min(input.size() - at, 1 + words.below(16));
    switch (words.below(6)) {
      case 0:
        if (at < input.size()) input[at] = static_cast<char>(words.below(256));
        break;
      case 1:
        input.insert(at, 1, telling[words.below(telling.size())]);
        break;
      case 2:
        input.erase(at, length);
        break;
      case 3:
        input.insert(at, input.substr(at, length));
        break;
      case 4:
        input.resize(at);
        break;
      default:
        input.insert(at, other.substr(words.below(other.size() + 1), 1 + words.below(16)));
    }
  }
  return input;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<fs::path> paths;
  for (int i = 1; i < argc; ++i) {
    if (fs::is_directory(argv[i])) {
      for (auto const& entry : fs::directory_iterator(argv[i]))
        if (entry.is_regular_file()) paths.push_back(entry.path());
    } else if (fs::is_regular_file(argv[i])) {
      paths.emplace_back(argv[i]);
    }
  }
  std::ranges::sort(paths);
  if (paths.empty()) {
    std::fprintf(stderr, "%s: no seed found; a fuzz target needs a corpus\n", argv[0]);
    return 1;
  }
  std::vector<std::string> seeds;
  for (fs::path const& path : paths) seeds.push_back(read(path));

  const std::string program = argv[0];
  Trial trial(program + ".input");
  Words words;
  trial.run("");
  for (std::string const& seed : seeds) trial.run(seed);
  const bool one_file = argc == 2 && fs::is_regular_file(argv[1]);  // a finding is replayed as it is
  if (!one_file)
    for (std::string const& seed : seeds)
      for (int i = 0; i < mutations_per_seed; ++i) trial.run(mutated(seed, seeds[words.below(seeds.size())], words));
  trial.forget();
  std::printf("%zu seeds, %ld inputs, no finding\n", seeds.size(), trial.runs());
}
