#include "equipoise/simulate/claims.h"

#include <gtest/gtest.h>

namespace equipoise::simulate {
namespace {

using protocol::ClaimPart, protocol::Direction;

protocol::Protocol with_claims(std::vector<std::vector<ClaimPart>> const& parts) {
  protocol::Protocol protocol;
  for (std::size_t c = 0; c < parts.size(); ++c)
    protocol.claims.push_back({.id = "c" + std::to_string(c), .label = {}, .all = parts[c], .place = {}});
  return protocol;
}

const std::vector<Statement> three{{.analysis = "a", .arm = "low", .against = "control", .better = 1},
                                   {.analysis = "a", .arm = "high", .against = "control", .better = 1},
                                   {.analysis = "b", .arm = "low", .against = "", .better = -1}};

Said p_of(double p, double sign) { return {.p = p, .sign = sign}; }

struct Judged {
  std::vector<std::uint8_t> holds, unknown;
};
Judged judged(std::vector<std::vector<ClaimPart>> const& parts, std::vector<Said> const& said) {
  const protocol::Protocol protocol = with_claims(parts);
  Problems problems;
  const Claims claims(protocol, three, problems);
  EXPECT_TRUE(problems.empty());
  Judged out{std::vector<std::uint8_t>(parts.size()), std::vector<std::uint8_t>(parts.size())};
  claims.judge(said, out.holds, out.unknown);
  return out;
}

TEST(Claims, HoldWhenAllTheirConditionsDo) {
  const ClaimPart some{.analysis = "a", .arms = {"low", "high"}, .every = false, .p = 0.05};
  ClaimPart every = some, at_most = some, not_b{.analysis = "b", .arms = {"low"}, .p = 0.05, .negated = true};
  every.every = true;
  at_most.p_included = true;
  const std::vector<Said> said{p_of(0.05, 1), p_of(0.2, 1), p_of(0.01, -1)};
  EXPECT_EQ(judged({{some}, {at_most}, {every}, {at_most, not_b}}, said).holds, (std::vector<std::uint8_t>{0, 1, 0, 0}));
  const std::vector<Said> both{p_of(0.01, 1), p_of(0.04, -1), p_of(0.3, -1)};
  EXPECT_EQ(judged({{some}, {every}, {some, not_b}}, both).holds, (std::vector<std::uint8_t>{1, 1, 1}));
}

TEST(Claims, LookAtTheDirection) {
  const auto part = [](std::string const& analysis, Direction direction) {
    return ClaimPart{.analysis = analysis, .arms = {"low"}, .p = 0.05, .direction = direction};
  };
  const std::vector<Said> said{p_of(0.01, -1), p_of(1, 1), p_of(0.01, -1)};
  EXPECT_EQ(judged({{part("a", Direction::up)},
                    {part("a", Direction::down)},
                    {part("a", Direction::better)},
                    {part("a", Direction::worse)},
                    {part("b", Direction::better)},
                    {part("b", Direction::worse)}},
                   said)
                .holds,
            (std::vector<std::uint8_t>{0, 1, 0, 1, 1, 0}));
}

TEST(Claims, ReadOthersAndSayWhatIsNotKnown) {
  const ClaimPart low{.analysis = "a", .arms = {"low"}, .p = 0.05};
  const ClaimPart first{.claim = "c0"}, not_first{.claim = "c0", .negated = true};
  const Judged got = judged({{low}, {first}, {not_first}}, {Said{}, p_of(0.01, 1), p_of(0.01, 1)});
  EXPECT_EQ(got.holds, (std::vector<std::uint8_t>{0, 0, 1})) << "what was not answered is not significant";
  EXPECT_EQ(got.unknown, (std::vector<std::uint8_t>{1, 1, 1}));
}

TEST(Claims, RefuseWhatThePlanDoesNotSay) {
  const protocol::Protocol protocol = with_claims({{{.analysis = "b", .arms = {"high"}}}});
  Problems problems;
  const Claims claims(protocol, three, problems);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems.front().message, "claim 'c0' reads a P value of arm 'high' in analysis 'b', and there is none");
}

}  // namespace
}  // namespace equipoise::simulate
