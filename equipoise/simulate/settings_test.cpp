#include "equipoise/simulate/settings.h"

#include <gtest/gtest.h>

#include "equipoise/simulate/merged.h"
#include "equipoise/simulate/testing.h"

namespace equipoise::simulate {
namespace {

const std::string scenario = R"(model = "longitudinal"
x = { level = { median = 100, cv = 0.2 }, noise_cv = 0.1, scale = "log" }
effect = { x = { active = 10 } })";

protocol::Protocol with_rehearsal(std::string const& section) {
  return testing::SmallTrial{.scenario = scenario + "\n[rehearsal]\n" + section}.protocol();
}

std::vector<std::string> messages(std::string const& section) {
  Problems problems;
  Settings::parse(with_rehearsal(section), problems);
  std::vector<std::string> all;
  for (Error const& problem : problems) all.push_back(problem.message);
  return all;
}

const std::string grid = R"([[rehearsal.grid]]
id = "g"
scenario = "one"
vary = [{ label = "Effect", keys = ["effect.x.active"], values = [0, 2.5, 5] }, { keys = ["accrual.participants"], values = [40, 80] }]
)";

TEST(Settings, ReadGridsWithTheLastAxisRunningFastest) {
  const protocol::Protocol protocol = with_rehearsal("replicates = 50\n" + grid);
  Problems problems;
  const Settings settings = Settings::parse(protocol, problems);
  ASSERT_TRUE(problems.empty()) << problems[0].message;
  EXPECT_EQ(settings.replicates, 50);
  EXPECT_EQ(settings.limit("anything"), most_replicates);
  GridPlan const& one = settings.grids.at(0);
  EXPECT_EQ(one.cells(), 6u);
  EXPECT_EQ(one.values(1), (std::vector<double>{0, 80}));
  EXPECT_EQ(one.values(4), (std::vector<double>{5, 40}));
  EXPECT_EQ(one.cell_id(4), "g/5");
  EXPECT_EQ(one.axes[1].label, "accrual.participants");
  const auto cell = cell_scenario(protocol, one, 2, problems);
  ASSERT_TRUE(cell);
  EXPECT_EQ(cell->section.find("effect")->find("x")->find("active")->number(), 2.5);
  EXPECT_EQ(cell->section.find("accrual")->find("participants")->integer(), 40);
  EXPECT_EQ(cell->section.find("x")->find("noise_cv")->number(), 0.1) << "the rest stays";
}

TEST(Settings, ReportWhatIsWrong) {
  EXPECT_EQ(messages("replicates = 0"),
            (std::vector<std::string>{"'replicates' in [rehearsal] must be at least 1 and at most 68719476736, and is 0"}));
  EXPECT_EQ(messages("first = { nothing = 3 }"),
            (std::vector<std::string>{"'first' of [rehearsal] names the analysis 'nothing', and there is none"}));
  EXPECT_EQ(messages("[[rehearsal.grid]]\nid = \"g\"\nscenario = \"two\"\nvary = []"),
            (std::vector<std::string>{"grid 'g' names the scenario 'two', and there is none", "grid 'g' varies nothing"}));
  EXPECT_EQ(messages("[[rehearsal.grid]]\nid = \"g\"\nscenario = \"one\"\nvary = [{ keys = [\"model\"], values = [1, 1] }, { "
                     "keys = [], values = [] }]"),
            (std::vector<std::string>{"an axis of grid 'g' has the value 1 twice",
                                      "an axis of grid 'g' varies 'model', which is no number of a scenario",
                                      "keys of an axis of grid 'g' is empty", "values of an axis of grid 'g' is empty"}));
}

TEST(Settings, VaryEachNumberOnce) {
  for (char const* other : {"effect.x.active", "effect.x", "effect.x.active.more"})
    EXPECT_EQ(messages(fmt::format("[[rehearsal.grid]]\nid = \"g\"\nscenario = \"one\"\nvary = [{{ keys = [\"effect.x.active\"], "
                                   "values = [1] }}, {{ keys = "
                                   "[\"{}\"], values = [2] }}]",
                                   other)),
              (std::vector<std::string>{fmt::format("grid 'g' varies '{}' twice", other)}));
}

TEST(Settings, DoNotFollowAKeyThroughANumber) {
  const protocol::Protocol protocol = with_rehearsal(R"([[rehearsal.grid]]
id = "g"
scenario = "one"
vary = [{ keys = ["x.noise_cv.sd"], values = [1] }]
)");
  Problems problems;
  const Settings settings = Settings::parse(protocol, problems);
  EXPECT_FALSE(cell_scenario(protocol, settings.grids.at(0), 0, problems));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].message, "'x.noise_cv.sd' of grid 'g' leads through something that is no table");
}

}  // namespace
}  // namespace equipoise::simulate
