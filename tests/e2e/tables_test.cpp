// Tables of a report in every format, and the blinded report, through the binary.

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  return text;
}

TEST(Tables, ComeInTheFormatsAskedForWithTheSameBytes) {
  const Folder folder;
  for (const char* to : {"a", "b"})
    ASSERT_EQ(equipoise({"report", cgd, "--formats", "rtf,csv", "--output", to}, {.folder = folder.path}).status, 0);
  const auto files = folder.all();
  EXPECT_THAT(files, Contains("a/tables.rtf"));
  EXPECT_THAT(files, Contains("a/tables/t-14.1.1-disposition.rtf"));
  EXPECT_THAT(files, Contains("a/tables/t-14.1.2-demography.csv"));
  EXPECT_THAT(files, Not(Contains("a/report.html")));
  for (auto const& file : files)
    if (file.starts_with("a/") && fs::is_regular_file(folder.path / file))
      EXPECT_EQ(contents(folder.path / file), contents(folder.path / ("b" + file.substr(1)))) << file;
  const json results = json::parse(contents(folder.path / "a/results.json"));
  EXPECT_EQ(results.at("tables").at(1).at("number"), "14.1.1");
  // Mean age of the placebo arm, 15.0 (9.6): R, mean and sd of the first row of each of its 65 participants.
  EXPECT_THAT(contents(folder.path / "a/tables/t-14.1.2-demography.csv"), HasSubstr(",Mean (SD),Placebo,mean,"));
  EXPECT_THAT(contents(folder.path / "a/tables/t-14.1.2-demography.rtf"), HasSubstr("15.0 (9.6)"));
}

TEST(Tables, OfAnUnknownFormatAreAnErrorOfUse) {
  const Folder folder;
  EXPECT_EQ(equipoise({"report", cgd, "--formats", "html,docx"}, {.folder = folder.path}).status, 2);
  EXPECT_TRUE(folder.all().empty());
}

TEST(BlindedReport, HasNoByteThatTellsAnArm) {
  const Folder folder;
  write(folder.path / "key", "0123456789abcdef0123456789abcdef");
  const Ran ran =
      equipoise({"report", cgd, "--blinded", "key", "--formats", "html,rtf,csv", "--output", "r"}, {.folder = folder.path});
  ASSERT_EQ(ran.status, 0) << ran.err;
  std::string all = ran.out + ran.err;
  for (auto const& file : folder.all()) {
    all += file + "\n";
    if (file != "key" && fs::is_regular_file(folder.path / file)) all += contents(folder.path / file);
  }
  for (const char* secret : {"placebo", "interferon", "gamma", "hazard", "0.335", "cgd.csv", "p = "})
    EXPECT_THAT(lower(all), Not(HasSubstr(secret)));
  EXPECT_THAT(all, HasSubstr("Arm A"));
  const Ran spoken = equipoise({"report", cgd, "--blinded", "key", "--output", "j", "--json"}, {.folder = folder.path});
  EXPECT_THAT(lower(spoken.out + spoken.err), Not(HasSubstr("placebo")));
}

TEST(BlindedReport, NeedsAKeyThatIsOne) {
  const Folder folder;
  write(folder.path / "short", "secret");
  const Ran ran = equipoise({"report", cgd, "--blinded", "short", "--output", "r"}, {.folder = folder.path});
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(ran.err, HasSubstr("has 6 bytes, and needs at least 32"));
  EXPECT_FALSE(fs::exists(folder.path / "r"));
}

}  // namespace
}  // namespace equipoise::e2e
