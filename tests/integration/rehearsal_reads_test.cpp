// A world leaves out what no analysis reads: what is said of a trial is then the same to the bit as of the whole trial.

#include <gtest/gtest.h>

#include <bit>

#include "equipoise/simulate/statements.h"
#include "equipoise/simulate/world.h"
#include "equipoise/study/study.h"
#include "files.h"

namespace equipoise::simulate {
namespace {

bool same(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

TEST(Rehearsal, SaysTheSameOfATrialOfWhichOnlyWhatIsReadWasMade) {
  const study::Study whole = study_of("examples/msc-inr/protocol.toml");
  std::size_t left_out = 0;
  for (analysis::PlannedAnalysis const& planned : whole.plan.analyses) {
    study::Study study = whole;
    std::erase_if(study.plan.analyses, [&](auto const& one) { return one.id != planned.id; });
    study.plan.multiplicity.reset();
    const std::vector<Statement> all = statements(study);
    for (std::string const scenario : {"dose-response", "as-published"}) {
      const auto world = World::build(study.protocol, scenario);
      ASSERT_TRUE(world);
      Analyst analyst(study, world->layout(), all), again(study, world->layout(), all);
      const World::Wanted wanted = world->wanted(analyst.reads());
      for (const auto flag : wanted.reads.cells) left_out += flag == 0;
      Workspace one, other;
      VirtualTrial full, brief;
      std::vector<Said> of_full(all.size()), of_brief(all.size());
      for (std::uint64_t number = 0; number < (planned.id == "a02_jump_to_reference" ? 1 : 12); ++number) {
        world->replicate(11, number, one, full);
        world->replicate(11, number, other, brief, {}, &wanted);
        EXPECT_EQ(full.follow_up_end, brief.follow_up_end);
        EXPECT_EQ(full.arm, brief.arm);
        analyst.analyse(full, of_full);
        again.analyse(brief, of_brief);
        for (std::size_t s = 0; s < all.size(); ++s) {
          EXPECT_TRUE(same(of_full[s].p, of_brief[s].p)) << all[s].analysis << " in trial " << number;
          EXPECT_TRUE(same(of_full[s].estimate, of_brief[s].estimate));
          EXPECT_TRUE(same(of_full[s].lower, of_brief[s].lower));
          EXPECT_TRUE(same(of_full[s].sign, of_brief[s].sign));
        }
      }
    }
  }
  EXPECT_GT(left_out, 0u);
}

}  // namespace
}  // namespace equipoise::simulate
