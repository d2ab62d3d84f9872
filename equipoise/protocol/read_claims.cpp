#include <algorithm>

#include "equipoise/protocol/reader.h"

namespace equipoise::protocol {
namespace {

constexpr std::array<std::pair<std::string_view, Direction>, 4> directions{
    {{"up", Direction::up}, {"down", Direction::down}, {"better", Direction::better}, {"worse", Direction::worse}}};

/// Of which arms: `arm`, `some` or `every`, one of them.
void read_arms(Reader& reader, Section& section, ClaimPart& part) {
  const std::vector<std::string> known = ids_of(reader.protocol.arms);
  std::string_view given;
  for (const std::string_view key : {"arm", "some", "every"}) {
    if (!section.has(key)) continue;
    if (!given.empty()) {
      section.report_at(key, Code::inconsistent, "{} names its arms twice, by '{}' and by '{}'", section.name(), given, key);
      section.allow(key);
      continue;
    }
    given = key;
    part.every = key != "some";
    if (key == "arm") {
      if (const auto arm = section.need_text("arm"); arm && reader.resolves(*arm, known, "arm", section.place_of("arm")))
        part.arms.push_back(*arm);
    } else if (const auto arms = section.texts(key)) {
      const Node* list = section.node().find(key);
      for (std::size_t i = 0; i < arms->size(); ++i)
        if (reader.resolves((*arms)[i], known, "arm", (*list->array())[i].place())) part.arms.push_back((*arms)[i]);
      if (arms->empty()) section.report_at(key, Code::out_of_range, "{} lists no arm", section.name());
    }
  }
  if (given.empty())
    add_problem(reader.problems, section.place(), Code::missing_key, "{} needs one of the keys 'arm', 'some' and 'every'",
                section.name());
}

ClaimPart read_part(Reader& reader, Section& section, std::vector<std::string> const& earlier) {
  ClaimPart part;
  part.negated = section.flag("not").value_or(false);
  if (section.has("claim")) {
    part.claim = section.need_text("claim").value_or("");
    reader.resolves(part.claim, earlier, "earlier claim", section.place_of("claim"));
    section.finish();
    return part;
  }
  part.analysis = section.need_text("analysis").value_or("");
  if (!part.analysis.empty())
    reader.resolves(part.analysis, ids_of(reader.protocol.analyses), "analysis", section.place_of("analysis"));
  read_arms(reader, section, part);
  const Limits share = Limits::open(0, 1);
  if (section.has("p_at_most")) {
    part.p_included = true;
    part.p = section.number("p_at_most", share).value_or(part.p);
    if (section.take("p_below"))
      section.report_at("p_below", Code::inconsistent, "{} has 'p_at_most' and 'p_below', and one is meant", section.name());
  } else {
    part.p = section.number("p_below", share).value_or(reader.protocol.conventions.alpha);
  }
  part.direction = section.word<Direction>("direction", directions).value_or(Direction::either);
  if (part.direction == Direction::better || part.direction == Direction::worse) {
    const auto analysis = std::ranges::find(reader.protocol.analyses, part.analysis, &Analysis::id);
    const Endpoint* endpoint =
        analysis == reader.protocol.analyses.end() ? nullptr : reader.protocol.endpoint(analysis->endpoint);
    if (endpoint && endpoint->benefit == Benefit::unstated)
      section.report_at("direction", Code::inconsistent, "endpoint '{}' does not say what its benefit is", endpoint->id).hint =
          "add benefit to the endpoint, or say up or down";
  }
  section.finish();
  return part;
}

}  // namespace

void read_claims(Reader& reader, Section& root) {
  std::set<std::string> seen;
  for (Section& section : root.tables("claim", "claim")) {
    Claim claim{.place = section.place()};
    claim.id = section.id("id").value_or("");
    section.rename(fmt::format("claim '{}'", claim.id));
    if (!claim.id.empty()) reader.unique(seen, claim.id, "claims", section.place_of("id"));
    claim.label = reader.text(section, "label");
    const std::vector<std::string> earlier = ids_of(reader.protocol.claims);
    section.need("all");
    for (Section& part : section.tables("all", fmt::format("a condition of claim '{}'", claim.id)))
      claim.all.push_back(read_part(reader, part, earlier));
    if (claim.all.empty() && section.has("all"))
      section.report_at("all", Code::out_of_range, "{} has no condition", section.name());
    section.finish();
    reader.protocol.claims.push_back(std::move(claim));
  }
}

}  // namespace equipoise::protocol
