#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "equipoise/cli/files.h"
#include "equipoise/core/digest.h"

namespace equipoise::cli {
namespace {

/// A file long enough to be mapped, gone with the test.
struct LongFile {
  std::filesystem::path path = std::filesystem::temp_directory_path() / fmt::format("equipoise-data-file-{}.csv", ::getpid());
  std::string text;

  LongFile() {
    while (text.size() < (std::size_t(17) << 20)) text += fmt::format("S1-{:07},12.5\n", text.size());
    std::ofstream(path) << text;
  }
  ~LongFile() { std::filesystem::remove(path); }
};

TEST(DataFile, HasTheBytesAndTheDigestOfALongFile) {
  const LongFile file;
  auto data = DataFile::open(file.path);
  ASSERT_TRUE(data) << data.error().message;
  EXPECT_TRUE(data->bytes().view() == file.text);
  const data::FileBytes kept = data->bytes();
  EXPECT_EQ(data->digest().value(), sha256(file.text));
  data = DataFile::open("/dev/null");
  EXPECT_TRUE(kept.view() == file.text) << "copies outlive the file that was opened";
  EXPECT_EQ(data->digest().value(), sha256(""));
}

TEST(DataFile, RefusesAFileThatWasChangedMeanwhile) {
  const LongFile file;
  auto data = DataFile::open(file.path);
  ASSERT_TRUE(data);
  std::filesystem::last_write_time(file.path, std::filesystem::file_time_type::clock::now() + std::chrono::seconds(2));
  const auto digest = data->digest();
  ASSERT_FALSE(digest);
  EXPECT_EQ(digest.error().message, fmt::format("'{}' was changed while it was read", file.path.string()));
}

TEST(DataFile, SaysThatAFileCannotBeRead) {
  const auto data = DataFile::open("/nowhere/data.csv");
  ASSERT_FALSE(data);
  EXPECT_EQ(data.error().message, "cannot read '/nowhere/data.csv': No such file or directory");
}

TEST(DataFileDeathTest, EndsWithASentenceWhenAFileBecomesShorter) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        const LongFile file;
        auto data = DataFile::open(file.path);
        (void)data->digest();
        std::filesystem::resize_file(file.path, 1);
        std::filesystem::remove(file.path);  // what ends this process ends it without its destructors
        std::exit(std::accumulate(data->bytes().view().begin(), data->bytes().view().end(), 0) == 0 ? 2 : 3);
      },
      ::testing::ExitedWithCode(1), "became shorter, or could not be read, while it was read");
}

}  // namespace
}  // namespace equipoise::cli
