// Output files appear whole and together, or not at all, whatever happens while they are written.

#include <sys/mount.h>
#include <sys/stat.h>

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

using ::testing::HasSubstr;
using Names = std::vector<std::string>;

/// report.html and results.json of an earlier run, which a failed run must leave alone.
void earlier_output(fs::path const& folder) {
  fs::create_directories(folder);
  write(folder / "report.html", "earlier page");
  write(folder / "results.json", "earlier results");
}

void expect_earlier_output(Folder const& folder) {
  EXPECT_EQ(folder.all(), (Names{"r", "r/report.html", "r/results.json"}));
  EXPECT_EQ(contents(folder.path / "r/report.html"), "earlier page");
  EXPECT_EQ(contents(folder.path / "r/results.json"), "earlier results");
}

TEST(Output, ReplacesWhatWasThere) {
  const Folder folder;
  earlier_output(folder.path / "r");
  ASSERT_EQ(equipoise({"report", cgd, "--output", "r"}, {.folder = folder.path}).status, 0);
  EXPECT_EQ(folder.all(), (Names{"r", "r/report.html", "r/results.json"}));
  EXPECT_GT(fs::file_size(folder.path / "r/report.html"), 10'000u);
  EXPECT_EQ(json::parse(contents(folder.path / "r/results.json")).at("provenance").at("data_file"), "cgd.csv");
}

TEST(Output, FollowsALinkAndKeepsPermissions) {
  const Folder folder;
  write(folder.path / "real.json", "earlier");
  fs::permissions(folder.path / "real.json", fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("real.json", folder.path / "link.json");
  ASSERT_EQ(equipoise({"analyse", cgd, "--output", "link.json"}, {.folder = folder.path}).status, 0);
  EXPECT_TRUE(fs::is_symlink(folder.path / "link.json"));
  EXPECT_EQ(json::parse(contents(folder.path / "real.json")).at("provenance").at("data_file"), "cgd.csv");
  EXPECT_EQ(fs::status(folder.path / "real.json").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_EQ(folder.all(), (Names{"link.json", "real.json"}));
}

TEST(Output, IsRefusedWhereNoFolderCanBe) {
  const Folder folder;
  write(folder.path / "file", "not a folder");
  // Also root cannot make a folder below a file, nor in /proc.
  const Ran below = equipoise({"report", cgd, "--output", "file/r"}, {.folder = folder.path});
  EXPECT_EQ(below.status, 1);
  EXPECT_EQ(below.err, "cannot create the folder 'file/r': Not a directory\n");
  EXPECT_EQ(below.out, "");
  const Ran at = equipoise({"report", cgd, "--output", "file"}, {.folder = folder.path});
  EXPECT_EQ(at.status, 1);
  EXPECT_EQ(at.err, "cannot create the folder 'file': Not a directory\n");
  const Ran proc = equipoise({"report", cgd, "--output", "/proc/equipoise/r"});
  EXPECT_EQ(proc.status, 1);
  EXPECT_THAT(proc.err, HasSubstr("cannot create the folder '/proc/equipoise/r': "));
  EXPECT_EQ(folder.all(), Names{"file"});
  EXPECT_EQ(contents(folder.path / "file"), "not a folder");
}

TEST(Output, IsRefusedWhereAFolderHasItsName) {
  const Folder folder;
  fs::create_directories(folder.path / "r/results.json/inside");
  const Ran ran = equipoise({"report", cgd, "--output", "r"}, {.folder = folder.path});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.err, "cannot write 'r/results.json': Is a directory\n");
  EXPECT_EQ(folder.all(), (Names{"r", "r/results.json", "r/results.json/inside"}));  // no page without its numbers
  const Ran analyse = equipoise({"analyse", cgd, "--output", "r"}, {.folder = folder.path});
  EXPECT_EQ(analyse.status, 1);
  EXPECT_EQ(analyse.err, "cannot write 'r': Is a directory\n");
}

TEST(Output, IsAbsentWhenAFileCannotBeWrittenWhole) {
  const Folder folder;
  Ran ran = equipoise({"report", cgd, "--output", "deep/r"}, {.folder = folder.path, .largest_file = 8192});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.err, "cannot write 'deep/r/report.html': File too large\n");
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(folder.all(), Names{});
  ran = equipoise({"new", "p.toml"}, {.folder = folder.path, .largest_file = 100});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(ran.err, "cannot write 'p.toml': File too large\n");
  EXPECT_EQ(folder.all(), Names{});

  earlier_output(folder.path / "r");
  ran = equipoise({"report", cgd, "--output", "r"}, {.folder = folder.path, .largest_file = 8192});
  EXPECT_EQ(ran.status, 1);
  expect_earlier_output(folder);
}

TEST(Output, IsAbsentWhenTheProcessIsKilledHalfWay) {
  const Folder folder;
  const int nameless = ::open(folder.path.c_str(), O_TMPFILE | O_WRONLY, 0600);
  if (nameless < 0) GTEST_SKIP() << "this file system has no files without a name: a killed process leaves its temporary file";
  ::close(nameless);
  earlier_output(folder.path / "r");
  const Ran ran =
      equipoise({"report", cgd, "--output", "r"}, {.folder = folder.path, .largest_file = 8192, .killed_there = true});
  EXPECT_EQ(ran.status, -1);
  EXPECT_EQ(ran.signal, SIGXFSZ);  // in the middle of writing the page
  EXPECT_EQ(ran.out, "");
  expect_earlier_output(folder);
}

TEST(Output, IsAbsentOnAFullDisk) {
  const Folder folder;
  const fs::path disk = folder.path / "disk";
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64k") != 0)
    GTEST_SKIP() << "no disk can be mounted here: " << std::strerror(errno);
  struct Unmount {
    fs::path disk;
    ~Unmount() { ::umount(disk.c_str()); }
  } const unmount{disk};
  Ran ran = equipoise({"report", cgd, "--output", "disk/r"}, {.folder = folder.path});
  EXPECT_EQ(ran.status, 1);
  EXPECT_THAT(ran.err, HasSubstr("No space left on device\n"));
  EXPECT_TRUE(ran.err.starts_with("cannot write 'disk/r/")) << ran.err;
  EXPECT_EQ(folder.all(), Names{"disk"});
  earlier_output(disk / "r");
  ran = equipoise({"report", cgd, "--output", "disk/r"}, {.folder = folder.path});
  EXPECT_EQ(ran.status, 1);
  EXPECT_EQ(folder.all(), (Names{"disk", "disk/r", "disk/r/report.html", "disk/r/results.json"}));
  EXPECT_EQ(contents(disk / "r/report.html"), "earlier page");
}

TEST(Output, GoesToDevicesAndPipesWithoutReplacingThem) {
  struct stat status {};
  // A full device says so, and stays a device.
  if (::stat("/dev/full", &status) == 0 && S_ISCHR(status.st_mode)) {
    const Folder folder;
    const fs::path full = folder.path / "full";  // a link, so that a fault here replaces the link and not the device
    fs::create_symlink("/dev/full", full);
    const Ran ran = equipoise({"analyse", cgd, "--output", full.string()});
    EXPECT_EQ(ran.status, 1);
    EXPECT_EQ(ran.err, "cannot write '" + full.string() + "': No space left on device\n");
    EXPECT_TRUE(fs::is_symlink(full));
    EXPECT_EQ(folder.all(), Names{"full"});
    const Ran said = equipoise({"analyse", cgd}, {.standard_output = "/dev/full"});
    EXPECT_EQ(said.status, 1);
    EXPECT_EQ(said.err, "cannot write to standard output: No space left on device\n");
  }
  const Ran piped = equipoise({"analyse", cgd, "--output", "/dev/stdout", "--quiet"});
  EXPECT_EQ(piped.status, 0) << piped.err;
  EXPECT_EQ(piped.out, equipoise({"analyse", cgd}).out);
}

}  // namespace
}  // namespace equipoise::e2e
