// What can be taken away with a figure: its numbers, and R code that draws them.

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

using ::testing::HasSubstr;

std::vector<fs::path> figures_of(Folder const& folder, std::string const& protocol) {
  const Ran ran = equipoise({"report", (source_dir / "examples" / protocol).string(), "--formats", "csv,svg", "--output", "r"},
                            {.folder = folder.path});
  EXPECT_EQ(ran.status, 0) << ran.err;
  std::vector<fs::path> files;
  if (fs::exists(folder.path / "r/figures"))
    for (auto const& entry : fs::directory_iterator(folder.path / "r/figures")) files.push_back(entry.path());
  std::ranges::sort(files);
  return files;
}

/// Every kind of figure: time to event with subgroups, visits with imputation, an event seen only at visits.
class Figures : public ::testing::TestWithParam<const char*> {};

TEST_P(Figures, EachHasItsNumbersAndDrawsInR) {
  const Folder folder;
  const std::vector<fs::path> files = figures_of(folder, GetParam());
  std::size_t scripts = 0;
  for (fs::path const& file : files) {
    if (file.extension() != ".R") continue;
    ++scripts;
    EXPECT_TRUE(fs::exists(fs::path(file).replace_extension(".csv")) && fs::exists(fs::path(file).replace_extension(".svg")))
        << file;
  }
  EXPECT_GE(scripts, 2u);
  if (std::system("Rscript --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "R is not installed (r-base-core)";
  // Each script in a device of its own; a warning is an error; an empty page has no size to speak of.
  write(folder.path / "all.R",
        "options(warn = 2)\nfor (f in list.files(pattern = '[.]R$')) {\n  pdf(out <- paste0(f, '.pdf'))\n  "
        "capture.output(source(f, echo = FALSE))\n"
        "  dev.off()\n  cat(f, file.size(out) > 3500, '\\n')\n}\n");
  const std::string command = "cd '" + (folder.path / "r/figures").string() + "' && Rscript '" +
                              (folder.path / "all.R").string() + "' > '" + (folder.path / "seen.txt").string() + "' 2> '" +
                              (folder.path / "errors.txt").string() + "'";
  ASSERT_EQ(std::system(command.c_str()), 0) << contents(folder.path / "seen.txt") << contents(folder.path / "errors.txt");
  const std::string seen = contents(folder.path / "seen.txt");
  EXPECT_EQ(seen.find("FALSE"), std::string::npos) << seen;
  EXPECT_EQ(std::size_t(std::ranges::count(seen, '\n')), scripts);
}

INSTANTIATE_TEST_SUITE_P(Examples, Figures,
                         ::testing::Values("colon/protocol.toml", "beat-the-blues/protocol.toml", "remission/protocol.toml",
                                           "toenail/protocol.toml"),
                         [](auto const& one) {
                           std::string name = one.param;
                           std::erase_if(name, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); });
                           return name;
                         });

TEST(FigureNumbers, OfAKaplanMeierCurveAreThoseOfTheResults) {
  const Folder folder;
  const std::vector<fs::path> files = figures_of(folder, "colon/protocol.toml");
  const auto curve = std::ranges::find_if(files, [](fs::path const& file) {
    return file.filename().string().find("kaplan-meier") != std::string::npos && file.extension() == ".csv";
  });
  ASSERT_NE(curve, files.end());
  const std::string csv = contents(*curve);
  EXPECT_TRUE(csv.starts_with("group,time,survival,lower,upper,n_at_risk,n_events,n_censored\n")) << csv.substr(0, 100);
  const json results = json::parse(contents(folder.path / "r/results.json"));
  std::size_t points = 0;
  for (json const& one : results.at("curves"))
    if (one.at("analysis") == "a03_recurrence_curve") points += one.at("columns").at("time").size();
  EXPECT_EQ(std::size_t(std::ranges::count(csv, '\n')), points + 1);
}

}  // namespace
}  // namespace equipoise::e2e
