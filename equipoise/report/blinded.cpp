#include "equipoise/report/blinded.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "equipoise/core/digest.h"

namespace equipoise::report {
namespace {

using protocol::Arm;
using protocol::Protocol;
using results::Results;

bool of_a_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c;
  return text;
}

/// Whether a text has these words in it, whatever their case; a name in another alphabet need not stand alone.
bool holds(std::string const& text, std::string const& name) {
  if (name.empty()) return false;
  const std::string all = lower(text), wanted = lower(name);
  const bool latin = std::ranges::all_of(wanted, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  for (std::size_t at = all.find(wanted); at != std::string::npos; at = all.find(wanted, at + 1)) {
    const std::size_t end = at + wanted.size();
    const bool alone = (at == 0 || !of_a_word(all[at - 1])) && (end == all.size() || !of_a_word(all[end]));
    if (alone || !latin) return true;
  }
  return false;
}

/// What must not be shown, each with the arm that it tells.
std::vector<std::pair<std::string, std::string>> secrets_of(Protocol const& protocol) {
  std::vector<std::pair<std::string, std::string>> out;
  for (Arm const& arm : protocol.arms) {
    out.emplace_back(arm.id, arm.id);
    for (auto const& [language, label] : arm.label.in_language) out.emplace_back(label, arm.id);
    if (arm.dose && arm.dose->amount != 0)
      for (const std::string_view language : {"en", "zh"})
        out.emplace_back(results::amount_label(arm.dose->amount, arm.dose->unit, language), arm.id);
  }
  return out;
}

bool equal_shares(Protocol const& protocol) {
  if (!protocol.randomisation) return true;
  const Node* ratio = protocol.randomisation->section.find("ratio");
  if (!ratio) return true;
  std::set<double> shares;
  for (Arm const& arm : protocol.arms) {
    const Node* share = ratio->find(arm.id);
    shares.insert(share ? share->number().value_or(1) : 1);
  }
  return shares.size() < 2;
}

/// Places of the arms, in the order of their letters.
std::vector<std::size_t> order_of_letters(Protocol const& protocol, std::span<const std::uint8_t> key) {
  std::vector<std::pair<Key32, std::size_t>> by_digest;
  for (std::size_t i = 0; i < protocol.arms.size(); ++i)
    by_digest.emplace_back(hmac_sha256(key, protocol.trial.id + "\n" + protocol.arms[i].id), i);
  std::ranges::sort(by_digest);
  std::vector<std::size_t> order;
  for (auto const& [digest, place] : by_digest) order.push_back(place);
  return order;
}

std::string letter(std::size_t place) {
  std::string name(1, char('A' + place % 26));
  return place < 26 ? name : name + std::to_string(place / 26 + 1);
}

/// Counts of several columns as one: labels in the order in which they come.
void add(std::vector<results::Count>& sum, std::vector<results::Count> const& more) {
  for (auto const& one : more) {
    const auto found = std::ranges::find(sum, one.label, &results::Count::label);
    if (found == sum.end()) sum.push_back(one);
    else found->n += one.n;
  }
}

results::FlowArm together(std::vector<results::FlowArm> const& flow, std::string const& name) {
  results::FlowArm sum{.arm = name};
  for (auto const& arm : flow) {
    sum.randomised += arm.randomised, sum.completed += arm.completed;
    add(sum.left, arm.left);
    for (auto const& set : arm.sets) {
      auto found = std::ranges::find(sum.sets, set.id, &results::FlowArm::Set::id);
      if (found == sum.sets.end()) found = sum.sets.insert(found, {.id = set.id});
      found->n += set.n;
      add(found->excluded, set.excluded);
    }
  }
  return sum;
}

/// Complains about texts that tell an arm.
class Guard {
 public:
  explicit Guard(Protocol const& protocol) : secrets_(secrets_of(protocol)), file_(protocol.file) {}

  void text(std::string const& what, std::string const& text) {
    for (auto const& [name, arm] : secrets_)
      if (holds(text, name)) {
        add_problem(problems, Place{.file = file_}, Code::refused,
                    "{} '{}' tells the arm '{}', and a blinded report would show it", what, text, arm)
            .hint = "give it another label, or leave it out of [report]";
        return;
      }
  }
  void text(std::string const& what, protocol::Text const& all) {
    for (auto const& [language, one] : all.in_language) text(what, one);
  }
  Problems problems;

 private:
  std::vector<std::pair<std::string, std::string>> secrets_;
  std::string file_;
};

}  // namespace

Checked<Blinded> blinded(Protocol const& protocol, Results const& results, std::span<const std::uint8_t> key) {
  Guard guard(protocol);
  if (key.size() < least_blinding_key)
    add_problem(guard.problems, Place{}, Code::out_of_range, "the key of a blinded report has {} bytes, and needs at least {}",
                key.size(), least_blinding_key)
        .hint = "32 random bytes, kept by whoever may know the arms";
  Blinded out;
  Protocol& shown = out.protocol;
  shown.trial.id = protocol.trial.id, shown.trial.version = protocol.trial.version;
  shown.trial.languages = protocol.trial.languages, shown.trial.simulated = protocol.trial.simulated;
  shown.conventions = protocol.conventions;
  shown.report.sections = {"flow", "baseline"};
  guard.text("the trial's id", shown.trial.id);
  guard.text("the protocol's version", shown.trial.version);

  const bool by_letter = equal_shares(protocol);
  const std::vector<std::size_t> order = order_of_letters(protocol, key);
  std::vector<std::string> letters(protocol.arms.size());
  for (std::size_t i = 0; i < order.size(); ++i) letters[order[i]] = letter(i);
  const std::size_t arms = by_letter ? order.size() : 1;
  for (std::size_t i = 0; i < arms; ++i) {
    Arm arm{.id = by_letter ? letter(i) : std::string("all")};
    arm.label.in_language = by_letter
                                ? std::vector<std::pair<std::string, std::string>>{{"en", "Arm " + arm.id}, {"zh", arm.id + "组"}}
                                : std::vector<std::pair<std::string, std::string>>{{"en", "All arms"}, {"zh", "全部组"}};
    shown.arms.push_back(std::move(arm));
  }
  for (auto const& set : protocol.sets) {
    shown.sets.push_back({.id = set.id, .label = set.label, .as_treated = set.as_treated});
    guard.text("the analysis set", set.id);
    guard.text("the analysis set", set.label);
  }

  // Of the items and derivations only those of the baseline table.
  std::set<std::string> needed;
  for (auto const& item : results.baseline) needed.insert(item.item.substr(0, item.item.find('@')));
  for (auto const& form : protocol.forms) {
    protocol::Form copy{.id = form.id};
    for (auto const& item : form.items)
      if (needed.contains(item.id)) {
        protocol::Item one{.id = item.id, .form = item.form, .kind = item.kind, .label = item.label, .unit = item.unit};
        for (auto const& code : item.codes) {
          one.codes.push_back(code);
          guard.text("the code", code.id);
          guard.text("the code", code.label);
        }
        guard.text("the item", item.id);
        guard.text("the item", item.label);
        copy.items.push_back(std::move(one));
      }
    shown.forms.push_back(std::move(copy));
  }
  for (auto const& derivation : protocol.derivations)
    if (needed.contains(derivation.id)) {
      guard.text("the derivation", derivation.id);
      guard.text("the derivation", derivation.label);
      protocol::Derivation one{.id = derivation.id, .unit = derivation.unit, .label = derivation.label};
      shown.derivations.push_back(std::move(one));
    }

  Results& answer = out.results;
  auto const& from = results.provenance;
  answer.provenance.version = from.version, answer.provenance.protocol_digest = from.protocol_digest;
  answer.provenance.data_digest = from.data_digest, answer.provenance.cutoff = from.cutoff;
  answer.provenance.simulated = from.simulated, answer.provenance.match = from.match;
  answer.quartile_rule = results.quartile_rule;
  if (by_letter) {
    for (const std::size_t place : order)
      for (auto const& arm : results.flow)
        if (arm.arm == protocol.arms[place].id) {
          answer.flow.push_back(arm);
          answer.flow.back().arm = letters[place];
        }
  } else if (!results.flow.empty()) {
    answer.flow.push_back(together(results.flow, "all"));
  }
  for (auto const& arm : answer.flow) {
    for (auto const& reason : arm.left) guard.text("the reason", reason.label);
    for (auto const& set : arm.sets)
      for (auto const& reason : set.excluded) guard.text("the reason", reason.label);
  }
  for (auto const& item : results.baseline) {
    results::BaselineItem copy = item;
    copy.cells.clear();
    if (by_letter)
      for (const std::size_t place : order)
        copy.cells.push_back(place < item.cells.size() ? item.cells[place] : results::BaselineItem::Cell());
    if (!item.cells.empty()) copy.cells.push_back(item.cells.back());  // all arms
    if (!by_letter && !item.cells.empty()) copy.cells.push_back(item.cells.back());
    for (auto const& level : item.levels) guard.text("the level", level);
    for (auto const& note : item.notes) guard.text("the note", note);
    answer.baseline.push_back(std::move(copy));
  }
  sort_in_file_order(guard.problems);  // the same text of several arms is one problem
  if (!guard.problems.empty()) return fail(std::move(guard.problems));
  return out;
}

}  // namespace equipoise::report
