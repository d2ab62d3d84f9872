#include "equipoise/simulate/parts.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <concepts>
#include <limits>
#include <optional>

#include "equipoise/core/json.h"
#include "equipoise/core/digest.h"
#include "equipoise/core/section.h"
#include "equipoise/results/json_writer.h"
#include "equipoise/simulate/blocks.h"

namespace equipoise::simulate {
namespace {

using results::Object;

template <class T>
concept HasFields = std::same_as<T, Tally> || std::same_as<T, StatementTally> || std::same_as<T, LookTally>;

constexpr std::string_view document = "equipoise rehearsal part";

// ---- Writing ---------------------------------------------------------------------------------------------------------

std::string write(std::int64_t value) { return std::to_string(value); }
std::string write(double value) { return results::number(value); }
std::string write(Moments const& moments) {
  return "[" + write(moments.n) + "," + write(moments.mean) + "," + write(moments.squares) + "]";
}
std::string write(Said const& said) {
  std::string out = "[";
  for (const double value : {said.p, said.estimate, said.se, said.lower, said.upper, said.sign}) out += write(value) + ",";
  return out + (said.ratio ? "1]" : "0]");
}
template <HasFields T>
std::string write(T const& tally);
template <class T>
std::string write(std::vector<T> const& values) {
  std::string out = "[";
  for (T const& value : values) out += (out.size() > 1 ? "," : "") + write(value);
  return out + "]";
}
template <HasFields T>
std::string write(T const& tally) {
  Object out;
  T::each(tally, [&](std::string_view name, auto const& field) { out.raw(name, write(field)); });
  return out.str();
}

std::string write(PartWorld const& world) {
  std::string pieces;
  for (Ledger::Piece const* piece : world.ledger.pieces())
    pieces += (pieces.empty() ? "\n    " : ",\n    ") +
              Object().count("first", piece->first).count("level", piece->level).raw("tally", write(piece->tally)).str();
  return Object().text("id", world.id).count("replicates", world.replicates).raw("pieces", "[" + pieces + "]").str();
}

// ---- Reading ---------------------------------------------------------------------------------------------------------

bool read(Node const& node, std::int64_t& value) {
  const auto got = node.integer();
  if (got) value = *got;
  return got.has_value();
}

bool read(Node const& node, double& value) {
  if (const auto got = node.number()) return value = *got, true;
  std::string const* word = node.text();
  if (!word) return false;
  if (*word == "NE") return value = missing_number, true;
  if (*word != "Infinity" && *word != "-Infinity") return false;
  value = std::numeric_limits<double>::infinity() * (word->starts_with('-') ? -1 : 1);
  return true;
}

bool read(Node const& node, Moments& moments) {
  const Node::Array* three = node.array();
  return three && three->size() == 3 && read((*three)[0], moments.n) && read((*three)[1], moments.mean) &&
         read((*three)[2], moments.squares);
}

bool read(Node const& node, Said& said) {
  const Node::Array* seven = node.array();
  if (!seven || seven->size() != 7) return false;
  std::size_t k = 0;
  for (double* value : {&said.p, &said.estimate, &said.se, &said.lower, &said.upper, &said.sign})
    if (!read((*seven)[k++], *value)) return false;
  std::int64_t ratio = 0;
  if (!read((*seven)[k], ratio)) return false;
  said.ratio = ratio != 0;
  return true;
}

template <HasFields T>
bool read(Node const& node, T& tally);
template <class T>
bool read(Node const& node, std::vector<T>& values) {
  const Node::Array* list = node.array();
  if (!list) return false;
  values.resize(list->size());
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!read((*list)[i], values[i])) return false;
  return true;
}
template <HasFields T>
bool read(Node const& node, T& tally) {
  bool good = node.table() != nullptr;
  T::each(tally, [&](std::string_view name, auto& field) {
    const Node* member = good ? node.find(name) : nullptr;
    good = member && read(*member, field);
  });
  return good;
}

PartWorld read_world(Section& section) {
  PartWorld world;
  world.id = section.need_text("id").value_or("");
  section.need("replicates"), section.need("pieces");
  world.replicates = section.integer("replicates", {.min = 1, .max = double(most_replicates)}).value_or(1);
  for (Section& one : section.tables("pieces", "a piece of '" + world.id + "'")) {
    Ledger::Piece piece;
    const std::int64_t blocks = blocks_of(world.replicates);
    piece.first = one.integer("first", {.min = 0, .max = double(blocks)}).value_or(-1);
    piece.level = int(one.integer("level", {.min = 0, .max = 40}).value_or(-1));
    const Node* tally = one.need("tally");
    if (piece.first < 0 || piece.level < 0 || !tally) continue;
    if (!read(*tally, piece.tally)) one.report_at("tally", Code::wrong_type, "a tally of '{}' is damaged", world.id);
    else if (piece.first % (std::int64_t(1) << piece.level) != 0 || piece.end() > blocks || !world.ledger.add(std::move(piece)))
      one.report_at("first", Code::inconsistent, "the pieces of '{}' overlap, or go beyond it", world.id);
  }
  section.finish();
  return world;
}

}  // namespace

std::string TallyShape::complaint(Ledger::Piece const& piece, std::int64_t replicates) const {
  Tally const& tally = piece.tally;
  const std::int64_t n = std::min(replicates, piece.end() * block_size) - piece.first * block_size;
  if (tally.replicates != n) return fmt::format("has {} replicates in a place for {}", tally.replicates, n);
  const std::int64_t single = std::clamp<std::int64_t>(kept - piece.first * block_size, 0, n);
  const bool sizes = tally.statements.size() == statements && tally.judged.size() == claims && tally.claims.size() == claims &&
                     tally.unknown.size() == claims && tally.hypotheses.size() == hypotheses && tally.run.size() == analyses &&
                     tally.failed.size() == analyses && tally.fell_back.size() == analyses && tally.looks.size() == looks &&
                     tally.stopped.size() == 3 * monitored && tally.kept.size() == std::size_t(single) * statements &&
                     tally.accrual.size() == std::size_t(single) * accrual_marks;
  if (!sizes) return "counts other statements, claims or hypotheses than the protocol has";
  bool possible = true;
  const auto look = [&](auto const& self, auto const& field) -> void {
    using Field = std::remove_cvref_t<decltype(field)>;
    if constexpr (std::is_same_v<Field, std::int64_t>) possible &= field >= 0 && field <= n;
    else if constexpr (std::is_same_v<Field, Moments>)
      possible &= field.n >= 0 && field.n <= n && (field.n > 0 || field.mean == 0) && !(field.squares < 0);
    else if constexpr (HasFields<Field>) Field::each(field, [&](std::string_view, auto const& inner) { self(self, inner); });
    else if constexpr (requires { field.begin(); })
      for (auto const& element : field) self(self, element);
  };
  look(look, tally);
  for (StatementTally const& one : tally.statements)
    possible &= one.answered <= one.asked && one.rejected <= one.answered && one.rejected_better <= one.rejected &&
                one.ratios <= one.answered && one.intervals <= one.answered && one.covered + one.missed_below <= one.intervals &&
                one.estimate.n <= one.answered && one.se.n <= one.estimate.n && one.se_squared.n == one.se.n;
  for (LookTally const& one : tally.looks)
    possible &= one.benefit + one.futility <= one.reached && one.reached <= tally.monitored;
  for (const double day : tally.accrual) possible &= std::isfinite(day);
  return possible ? "" : "has counts that are impossible";
}

std::string to_json(Part const& part) {
  Object out;
  out.text("document", document).flag("simulated", true).text("version", part.key.version);
  out.text("protocol_digest", part.key.protocol_digest).text("seed", std::to_string(part.key.seed));
  out.raw("analyses", results::list(part.key.analyses, [](auto const& one) {
            return Object().text("id", one.first).count("first", one.second).str();
          }));
  out.raw("worlds", results::list(
                        part.worlds, [](PartWorld const& world) { return write(world); }, "\n  "));
  return seal(out.str());
}

std::string seal(std::string_view object) {
  return fmt::format("{}, \"digest\": \"{}\"}}\n", object.substr(0, object.size() - 1), sha256(object));
}

Expected<Part> read_part(std::string_view bytes, std::string const& file) {
  const Place place{.file = file};
  // The digest stands last; it is that of the object without it.
  const std::size_t at = bytes.rfind(", \"digest\": \"");
  const bool whole = at != bytes.npos && seal(std::string(bytes.substr(0, at)) + "}") == bytes;
  auto node = read_json(bytes, place);
  const bool part_of_ours = node && node->table() && node->find("document") && node->find("document")->text() &&
                            *node->find("document")->text() == document;
  if (!node || !node->table() || (part_of_ours && !whole))
    return tl::unexpected(Error{Code::syntax, "the file is damaged or cut off: it is no part of a rehearsal", place,
                                "take it away, and let 'simulate --resume' compute it again"});
  Problems problems;
  Section section(*node, "the part", problems);
  Part part;
  if (const auto kind = section.need_text("document"); kind && *kind != document)
    return tl::unexpected(
        Error{Code::inconsistent, fmt::format("the file is a '{}', and no part of a rehearsal", *kind), place, {}});
  section.allow("simulated"), section.allow("digest");
  part.key.version = section.need_text("version").value_or("");
  part.key.protocol_digest = section.need_text("protocol_digest").value_or("");
  const std::string seed = section.need_text("seed").value_or("0");
  const auto [end, error] = std::from_chars(seed.data(), seed.data() + seed.size(), part.key.seed);
  if (error != std::errc{} || end != seed.data() + seed.size())
    section.report_at("seed", Code::wrong_type, "'{}' is no seed", seed);
  for (Section& one : section.tables("analyses", "an analysis of the part")) {
    part.key.analyses.emplace_back(one.need_text("id").value_or(""), one.integer("first", Limits::at_least(0)).value_or(0));
    one.finish();
  }
  section.need("worlds");
  for (Section& one : section.tables("worlds", "a world of the part")) part.worlds.push_back(read_world(one));
  if (section.has("worlds") && part.worlds.empty()) section.report_at("worlds", Code::no_data, "the part is of no scenario");
  section.finish();
  if (!problems.empty()) return tl::unexpected(std::move(problems.front()));
  return part;
}

void absorb(Part& whole, Part&& part, std::string const& file, std::vector<TallyShape> const& shapes, Overlap overlap,
            Problems& problems) {
  const Place place{.file = file};
  const auto refuse = [&](std::string text) -> Error& {
    return problems.emplace_back(Error{Code::inconsistent, std::move(text), place, {}});
  };
  PartKey const &ours = whole.key, &theirs = part.key;
  if (theirs.protocol_digest != ours.protocol_digest) {
    refuse(fmt::format("the part is of another protocol: its digest begins with {}, and that of this one with {}",
                       theirs.protocol_digest.substr(0, 12), ours.protocol_digest.substr(0, 12)));
    return;
  }
  if (theirs.version != ours.version)
    refuse(fmt::format("the part was made by version {}, and this is {}", theirs.version, ours.version));
  if (theirs.seed != ours.seed) refuse(fmt::format("the part has the seed {}, and the others {}", theirs.seed, ours.seed));
  if (theirs.analyses != ours.analyses) refuse("the part was made with other analyses, or with other limits of them");
  if (theirs.version != ours.version || theirs.seed != ours.seed || theirs.analyses != ours.analyses) return;
  for (PartWorld& world : part.worlds) {
    const auto same = std::ranges::find(whole.worlds, world.id, &PartWorld::id);
    if (same == whole.worlds.end()) {
      refuse(fmt::format("the part has the scenario '{}', which was not asked for", world.id));
      continue;
    }
    if (same->replicates != world.replicates) {
      refuse(fmt::format("the part is one of {} replicates of '{}', and the others of {}", world.replicates, world.id,
                         same->replicates));
      continue;
    }
    TallyShape const& shape = shapes[std::size_t(same - whole.worlds.begin())];
    std::optional<std::pair<std::int64_t, std::int64_t>> twice;  // blocks
    for (Ledger::Piece const* piece : world.ledger.pieces()) {
      if (const std::string wrong = shape.complaint(*piece, world.replicates); !wrong.empty())
        refuse(fmt::format("the part of '{}' from replicate {} on {}", world.id, piece->first * block_size, wrong));
      else if (!same->ledger.add(*piece) && overlap == Overlap::refused)
        twice = {twice ? twice->first : piece->first, piece->end()};
    }
    if (twice)
      refuse(fmt::format("replicates from {} to {} of '{}' are in another part too", twice->first * block_size,
                         std::min(twice->second * block_size, world.replicates) - 1, world.id))
          .hint = "give each part once";
  }
}

void report_gaps(Part const& whole, Problems& problems) {
  for (PartWorld const& world : whole.worlds) {
    if (const auto gap = world.ledger.gap(blocks_of(world.replicates)))
      add_problem(problems, {}, Code::no_data, "replicates {} to {} of '{}' are in no part", gap->first * block_size,
                  std::min(gap->second * block_size, world.replicates) - 1, world.id)
          .hint = "'simulate --resume' computes what is missing";
  }
}

}  // namespace equipoise::simulate
