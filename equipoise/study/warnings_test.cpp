#include "equipoise/study/warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "equipoise/protocol/load.h"

namespace equipoise::study {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> warned(std::string_view factors, std::string_view analysis) {
  const std::string text = fmt::format(R"toml(format = 1
[trial]
id = "t"
title = "A trial"
version = "1"
[[arm]]
id = "a"
role = "placebo_control"
[[arm]]
id = "b"
role = "investigational"
[sites]
site = [{{ id = "s1" }}, {{ id = "s2" }}]
[schedule]
visit = [{{ id = "v0", day = -7, forms = ["lab"] }}, {{ id = "v1", day = 1, forms = ["lab"] }}, {{ id = "v2", day = 29, forms = ["lab"] }}]
[form.lab]
cells = {{ kind = "number" }}
[derivation]
low = {{ rule = "cells < 100" }}
[randomisation]
method = "minimisation"
{}
[analysis_set]
full = {{ rule = "randomised" }}
[[endpoint]]
id = "y"
kind = "continuous"
level = "primary"
variable = "cells"
at = "v2"
[[analysis]]
id = "a1"
endpoint = "y"
set = "full"
{}
)toml",
                                       factors, analysis);
  const auto loaded = protocol::load(text, "t.toml");
  EXPECT_TRUE(loaded) << (loaded ? "" : to_string(loaded.error().front()));
  std::vector<std::string> out;
  if (loaded)
    for (Error const& warning : warnings(*loaded)) out.push_back(to_string(warning));
  return out;
}

constexpr std::string_view both = R"(factors = [{ id = "site" }, { id = "stratum", rule = "cells@v0 < 150" }])";

TEST(Warnings, NameTheFactorsThatAPrimaryAnalysisIgnores) {
  EXPECT_THAT(
      warned(both, "method = \"t_test\"\nrole = \"primary\""),
      ElementsAre("t.toml:35:10: the primary analysis 'a1' ignores the factors 'site' and 'stratum' of the randomisation\n"
                  "  hint: name it in 'strata' or 'formula', or an item at baseline that carries it"));
  EXPECT_THAT(warned(both, "role = \"primary\"\nmethod = \"ancova\"\nformula = \"arm + site\""),
              ElementsAre("t.toml:36:10: the primary analysis 'a1' ignores the factor 'stratum' of the randomisation\n"
                          "  hint: name it in 'strata' or 'formula', or an item at baseline that carries it"));
  EXPECT_THAT(warned(both, "role = \"secondary\"\nmethod = \"t_test\""), IsEmpty());
  EXPECT_THAT(warned(both, "role = \"primary\"\nmethod = \"rerandomisation\""), IsEmpty());  // replays them all
  EXPECT_THAT(warned("", "role = \"primary\"\nmethod = \"t_test\""), IsEmpty());
}

TEST(Warnings, TakeACovariateOfTheSameItemOrADerivationOfItForTheFactor) {
  EXPECT_THAT(warned(both, "role = \"primary\"\nmethod = \"ancova\"\nformula = \"arm + cells@v1 + site\""), IsEmpty());
  EXPECT_THAT(
      warned(both, "role = \"primary\"\nmethod = \"mmrm\"\nformula = \"arm * visit + log(cells@v0)\"\nstrata = [\"site\"]"),
      IsEmpty());
  EXPECT_THAT(warned(both, "role = \"primary\"\nmethod = \"van_elteren\"\nstrata = [\"low@v0\", \"site\"]"), IsEmpty());
}

TEST(Warnings, DoNotTakeAnOutcomeForAFactor) {
  EXPECT_THAT(warned(R"(factors = [{ id = "stratum", rule = "low@v0" }])",
                     "role = \"primary\"\nmethod = \"ancova\"\nformula = \"arm + cells@v2\""),
              ElementsAre(testing::HasSubstr("ignores the factor 'stratum'")));
}

}  // namespace
}  // namespace equipoise::study
