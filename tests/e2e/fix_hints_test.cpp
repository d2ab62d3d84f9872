// `equipoise check --fix-hints`: every problem has a fix, and where the fix is text to paste, pasting it helps.

#include "run_binary.h"

namespace equipoise::e2e {
namespace {

using ::testing::HasSubstr;

const fs::path flagship = source_dir / "examples/msc-inr/protocol.toml";

/// The problems of the flagship with one thing changed.
json problems_of(std::string_view from, std::string_view to) {
  const Folder folder;
  write(folder.path / "p.toml", with(contents(flagship), from, to));
  const Ran ran = equipoise({"check", "p.toml", "--fix-hints", "--json"}, {.folder = folder.path});
  EXPECT_EQ(ran.status, 3) << ran.out;
  return ran.answer().at("problems");
}

struct Broken {
  const char *from, *to, *say, *paste;
};

class FixHints : public ::testing::TestWithParam<Broken> {};

TEST_P(FixHints, SayWhatToWrite) {
  const json problems = problems_of(GetParam().from, GetParam().to);
  ASSERT_FALSE(problems.empty());
  json const& fix = problems.at(0).at("fix");
  EXPECT_EQ(fix.at("say"), GetParam().say) << problems.at(0);
  EXPECT_EQ(fix.value("paste", ""), GetParam().paste) << problems.at(0);
}

INSTANTIATE_TEST_SUITE_P(
    Each, FixHints,
    ::testing::Values(
        Broken{"phase = \"II\"", "phaze = \"II\"", "write 'phase' in place of 'phaze'", "phase = \"II\""},
        Broken{
            "phase = \"II\"", "colour = \"II\"",
            "remove 'colour', or write one of id, languages, phase, planned_participants, registry, simulated, title and version",
            ""},
        Broken{"version = \"1.0\" ", "# ", "add to [trial]", "version = \"1.0\""},
        Broken{"alpha = 0.05", "alpha = 5", "write a number above 0 and below 1, such as 0.05 (a share, not a percentage)",
               "alpha = 0.05"},
        Broken{"sided = 2", "sided = \"2\"", "write 2 in place of \"2\"", "sided = 2"},
        Broken{"languages = [\"en\", \"zh\"]", "languages = \"en\"", "write [\"en\"] in place of \"en\"", "languages = [\"en\"]"},
        Broken{"estimation = \"reml\"", "estimation = \"rmel\"", "write 'reml' in place of 'rmel'", "estimation = \"reml\""},
        Broken{"role = \"primary\"", "role = \"first\"",
               "write primary, secondary, sensitivity, supportive, exploratory or safety", "role = \"primary\""},
        Broken{"visits = [\"baseline\", \"w4\", \"w8\"]", "visits = [\"baseline\", \"w4\", \"w9\"]",
               "write 'w4' in place of 'w9'",
               "visits = [\"baseline\", \"w4\", \"w4\"]               # ASSUMPTION: three, one month apart, as in the same "
               "group's pilot"},
        Broken{"dose = { amount = 0.5e6, unit = \"cells/kg\" }", "dose = { amount = 0.5e3, unit = \"cells/g\" }",
               "write the dose in cells/kg: one cells/g is 1000 cells/kg", "dose = { amount = 500000, unit = \"cells/kg\" }"},
        Broken{"day = 57, window = [7, 7]", "day = 57, window = [7, 30]",
               "take 17 days from the end of the window of 'w8', or from the beginning of that of 'w12': window = [days before, "
               "days after]",
               ""}));

TEST(FixHints, GiveTheFactorOfAnotherUnit) {
  const Folder folder;
  fs::copy(source_dir / "examples/cgd", folder.path / "cgd", fs::copy_options::recursive);
  write(folder.path / "cgd/protocol.toml",
        with(contents(folder.path / "cgd/protocol.toml"), "{ item = \"weight\", column = \"weight\" }",
             "{ item = \"weight\", column = \"weight\", unit = \"g\" }"));
  const Ran ran = equipoise({"check", "cgd/protocol.toml", "--fix-hints"}, {.folder = folder.path});
  EXPECT_EQ(ran.status, 3);
  EXPECT_THAT(
      ran.err,
      HasSubstr("item 'weight' is in kg, and has no factor from g\n  hint: add it under 'also' of the item\n"
                "  fix: add to item 'weight' the unit of the data, and how many kg one g is\n    also = [[\"g\", 0.001]]\n"));
}

TEST(FixHints, GiveAWholeSectionThatIsMissing) {
  const json problems = problems_of("[multiplicity]", "[multiplicty]");
  const std::string paste = problems.at(0).at("fix").at("paste");
  EXPECT_THAT(paste, HasSubstr("[multiplicity]\nmethod = \"graphical\"\nhypotheses = ["));
}

// A strategy for death: what is pasted makes the protocol pass.
TEST(FixHints, MakeTheProtocolPassWhenPasted) {
  const Folder folder;
  const std::string row =
      "  { event = \"death\",          strategy = \"composite\", value = 0 },            # no recovery: change 0 from then on\n";
  write(folder.path / "p.toml", with(contents(flagship), row, ""));
  const Ran ran = equipoise({"check", "p.toml", "--fix-hints", "--json"}, {.folder = folder.path});
  ASSERT_EQ(ran.status, 3) << ran.out;
  const std::string paste = ran.answer().at("problems").at(0).at("fix").at("paste");
  EXPECT_EQ(paste, "{ event = \"death\", strategy = \"treatment_policy\" }");
  write(folder.path / "p.toml", with(contents(flagship), row, "  " + paste + ",\n"));
  EXPECT_EQ(equipoise({"check", "p.toml"}, {.folder = folder.path}).status, 0);
}

// Each line of the flagship and of the other examples cut out, and each section's name misspelt: whatever `check` then finds has
// a fix.
TEST(FixHints, LeaveNoProblemWithoutOne) {
  const Folder folder;
  const std::string text = contents(flagship);
  std::size_t found = 0, lines = 0;
  std::size_t from = 0;
  for (std::size_t end; (end = text.find('\n', from)) != std::string::npos; from = end + 1) {
    if (++lines % 7 != 0 || end == from || text[from] == '#') continue;  // every seventh line: a second or two
    std::string cut = text;
    write(folder.path / "p.toml", cut.erase(from, end + 1 - from));
    const Ran ran = equipoise({"check", "p.toml", "--fix-hints", "--json"}, {.folder = folder.path});
    if (ran.status == 0) continue;
    const json answer = ran.answer();
    for (json const& problem : answer.at("problems")) {
      EXPECT_GT(problem.at("fix").at("say").get<std::string>().size(), 5u) << problem;
      ++found;
    }
  }
  EXPECT_GT(found, 50u);
}

}  // namespace
}  // namespace equipoise::e2e
