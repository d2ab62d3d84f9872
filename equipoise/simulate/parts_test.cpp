#include "equipoise/simulate/parts.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "equipoise/simulate/blocks.h"

namespace equipoise::simulate {
namespace {

const TallyShape shape{.statements = 1, .claims = 1, .analyses = 1, .kept = 2};

/// Block b with a number of every kind, those that JSON has no word for too.
Tally block(std::int64_t b, std::int64_t n = 100) {
  Tally tally{.replicates = n};
  StatementTally& one = tally.statements.emplace_back();
  one.asked = n, one.answered = n - 1, one.rejected = 5;
  for (std::int64_t r = 1; r < n; ++r) one.estimate.add(1.0 / (double(b) + double(r) + 3.0));
  tally.judged = {n}, tally.claims = {b}, tally.unknown = {0}, tally.run = {n}, tally.failed = {1}, tally.fell_back = {0};
  tally.trial_days.add(0.1 + 0.2);
  if (b == 0) {
    tally.kept = {{.p = 0.3, .estimate = -std::numeric_limits<double>::infinity(), .sign = -1, .ratio = true}, {}};
    tally.accrual.assign(2 * accrual_marks, 0.1);
  }
  return tally;
}

Part part(std::vector<std::int64_t> const& blocks, std::int64_t replicates = 450) {
  Part made{.key = {.version = "1", .protocol_digest = "abc", .seed = 18446744073709551615u, .analyses = {{"a", 500}}},
            .worlds = {{.id = "w", .replicates = replicates}}};
  for (const std::int64_t b : blocks) made.worlds[0].ledger.add_block(b, block(b, b == 4 ? 50 : 100));
  return made;
}

Part again(Part const& made) {
  auto got = read_part(to_json(made), "p.json");
  if (!got) {
    ADD_FAILURE() << to_string(got.error());
    return {};
  }
  return std::move(*got);
}

Problems absorbed(Part& whole, Part more, Overlap overlap = Overlap::refused) {
  Problems problems;
  absorb(whole, std::move(more), "p.json", {shape}, overlap, problems);
  return problems;
}

TEST(Parts, AreReadAsTheyWereWritten) {
  const Part made = part({0, 1, 3, 4});
  const Part got = again(made);
  EXPECT_EQ(got.key, made.key);
  EXPECT_EQ(to_json(got), to_json(made));
  Said const& kept = got.worlds[0].ledger.pieces().front()->tally.kept.at(0);
  EXPECT_TRUE(std::isinf(kept.estimate) && kept.estimate < 0 && std::isnan(kept.se) && kept.ratio);
}

TEST(Parts, MakeAWholeOfWhateverBlocksTheyHold) {
  Part whole = part({});
  EXPECT_TRUE(absorbed(whole, again(part({1, 3}))).empty());
  Problems gaps;
  report_gaps(whole, gaps);
  ASSERT_EQ(gaps.size(), 1u);
  EXPECT_EQ(gaps[0].message, "replicates 0 to 99 of 'w' are in no part");
  EXPECT_TRUE(absorbed(whole, again(part({}))).empty()) << "an empty share is legal";
  EXPECT_TRUE(absorbed(whole, again(part({0, 2, 4}))).empty());
  gaps.clear();
  report_gaps(whole, gaps);
  EXPECT_TRUE(gaps.empty());
  EXPECT_EQ(to_json(whole), to_json(part({0, 1, 2, 3, 4})));
}

TEST(Parts, RefuseOverlapsUnlessToldToPassThemOver) {
  Part whole = part({0, 1});
  const Problems problems = absorbed(whole, part({1, 2}));
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].message, "replicates from 100 to 199 of 'w' are in another part too");
  whole = part({0, 1});
  EXPECT_TRUE(absorbed(whole, part({1, 2, 3}), Overlap::passed_over).empty());
  EXPECT_EQ(whole.worlds[0].ledger.extent(), 4);
}

TEST(Parts, RefuseMixtures) {
  const auto message = [](auto change) {
    Part whole = part({}), other = part({0});
    change(other);
    const Problems problems = absorbed(whole, std::move(other));
    EXPECT_EQ(whole.worlds[0].ledger.extent(), 0) << "nothing is taken of what does not belong";
    return problems.size() == 1 ? problems[0].message : fmt::format("{} problems", problems.size());
  };
  EXPECT_EQ(message([](Part& p) { p.key.seed = 2; }), "the part has the seed 2, and the others 18446744073709551615");
  EXPECT_EQ(message([](Part& p) { p.key.version = "2"; }), "the part was made by version 2, and this is 1");
  EXPECT_EQ(message([](Part& p) { p.key.protocol_digest = "0123456789abcdef"; }),
            "the part is of another protocol: its digest begins with 0123456789ab, and that of this one with abc");
  EXPECT_EQ(message([](Part& p) { p.key.analyses[0].second = 9; }),
            "the part was made with other analyses, or with other limits of them");
  EXPECT_EQ(message([](Part& p) { p.worlds[0].id = "v"; }), "the part has the scenario 'v', which was not asked for");
  EXPECT_EQ(message([](Part& p) { p.worlds[0].replicates = 460; }),
            "the part is one of 460 replicates of 'w', and the others of 450");
}

TEST(Parts, RefuseTalliesThatCannotBeRight) {
  const auto message = [](auto change) {
    Tally tally = block(0);
    change(tally);
    Part whole = part({}), other = part({});
    other.worlds[0].ledger.add_block(0, std::move(tally));
    const Problems problems = absorbed(whole, std::move(other));
    return problems.size() == 1 ? problems[0].message : fmt::format("{} problems", problems.size());
  };
  const std::string of = "the part of 'w' from replicate 0 on ";
  EXPECT_EQ(message([](Tally& t) { t.replicates = 99; }), of + "has 99 replicates in a place for 100");
  EXPECT_EQ(message([](Tally& t) { t.claims.push_back(0); }),
            of + "counts other statements, claims or hypotheses than the protocol has");
  EXPECT_EQ(message([](Tally& t) { t.kept.pop_back(); }),
            of + "counts other statements, claims or hypotheses than the protocol has");
  EXPECT_EQ(message([](Tally& t) { t.statements[0].rejected = 101; }), of + "has counts that are impossible");
  EXPECT_EQ(message([](Tally& t) { t.statements[0].answered = 3; }), of + "has counts that are impossible");
  EXPECT_EQ(message([](Tally& t) { t.statements[0].covered = 1; }), of + "has counts that are impossible");
  EXPECT_EQ(message([](Tally& t) { t.trial_days.squares = -5; }), of + "has counts that are impossible");
  EXPECT_EQ(message([](Tally& t) { t.accrual[0] = missing_number; }), of + "has counts that are impossible");
  EXPECT_EQ(message([](Tally& t) { t.trial_days.n = -1; }), of + "has counts that are impossible");
}

TEST(Parts, ThatAreDamagedSaySo) {
  const std::string good = to_json(part({0, 1, 4}));
  ASSERT_TRUE(read_part(good, "p.json"));
  for (std::size_t n = 0; n + 2 < good.size(); n += 7)
    EXPECT_FALSE(read_part(std::string_view(good).substr(0, n), "p.json")) << n;
  const auto refused = [&](std::string const& from, std::string const& to) {
    std::string text = good;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    EXPECT_FALSE(read_part(text, "p.json")) << "changed by hand";
    return !read_part(seal(text.substr(0, text.rfind(", \"digest\"")) + "}"), "p.json").has_value();
  };
  EXPECT_TRUE(refused("\"first\": 0", "\"first\": 1")) << "no node of the tree";
  EXPECT_TRUE(refused("\"first\": 4", "\"first\": 0")) << "twice";
  EXPECT_TRUE(refused("\"level\": 1", "\"level\": 60"));
  EXPECT_TRUE(refused("\"seed\": \"1", "\"seed\": \"x"));
  EXPECT_TRUE(refused("\"judged\": [", "\"judges\": ["));
  EXPECT_TRUE(refused("rehearsal part", "results"));
}

}  // namespace
}  // namespace equipoise::simulate
