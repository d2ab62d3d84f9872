#include "tests/independent/replayed.h"

#include "equipoise/core/record.h"
#include "equipoise/random/philox.h"

namespace equipoise::replayed {

std::vector<Method> const& methods() {
  static const std::vector<Method> all{
    {.whole = true, .name = "simple", .keyword = "simple", .toml = "", .json = "", .planned = 1000},
    {.name = "simple 3:2:1", .keyword = "simple", .toml = "", .json = "", .ratio = {3, 2, 1}},
    {.name = "simple with caps of arms", .keyword = "simple", .toml = "", .json = "", .arm_caps = "a = 20, b = 3000, c = 33"},
    {.name = "blocks", .keyword = "permuted_block", .toml = "block_sizes = [3]\n", .json = R"("block_sizes":[3])"},
    {.whole = true,
     .name = "random blocks in strata, caps of sites",
     .keyword = "permuted_block",
     .toml = "block_sizes = [9, 3, 6]\n",
     .json = R"("block_sizes":[9,3,6])",
     .planned = 2000,
     .factors = true,
     .level_caps = true},
    {.name = "blocks 2:1:2 in strata",
     .keyword = "permuted_block",
     .toml = "block_sizes = [5, 10]\n",
     .json = R"("block_sizes":[5,10])",
     .factors = true,
     .ratio = {2, 1, 2}},
    {.name = "blocks in strata with caps of arms",
     .keyword = "permuted_block",
     .toml = "block_sizes = [3, 6]\n",
     .json = R"("block_sizes":[3,6])",
     .factors = true,
     .arm_caps = "a = 500, b = 4000"},
    {.whole = true,
     .name = "minimisation by range",
     .keyword = "minimisation",
     .toml = "probability = 0.8\n",
     .json = R"("probability":0.8)",
     .factors = true},
    {.name = "minimisation by variance, weights",
     .keyword = "minimisation",
     .toml = "probability = 0.7\nimbalance = \"variance\"\nweights = { site = 0.1, sex = 0.3 }\noverall_weight = 0.2\n",
     .json = R"("probability":0.7,"imbalance":"variance","weights":{"site":0.1,"sex":0.3},"overall_weight":0.2)",
     .factors = true},
    {.name = "minimisation by standard deviation, 1:2:1",
     .keyword = "minimisation",
     .toml = "probability = 0.85\nimbalance = \"standard_deviation\"\noverall_weight = 1\n",
     .json = R"("probability":0.85,"imbalance":"standard_deviation","overall_weight":1)",
     .factors = true,
     .ratio = {1, 2, 1}},
    {.name = "minimisation by marginal totals",
     .keyword = "minimisation",
     .toml = "probability = 0.9\nimbalance = \"marginal_total\"\nweights = { site = 2, sex = 1 }\n",
     .json = R"("probability":0.9,"imbalance":"marginal_total","weights":{"site":2,"sex":1})",
     .factors = true},
    {.name = "minimisation with caps",
     .keyword = "minimisation",
     .toml = "probability = 0.8\n",
     .json = R"("probability":0.8)",
     .factors = true,
     .arm_caps = "b = 700",
     .level_caps = true},
    {.whole = true, .name = "taves", .keyword = "taves", .toml = "", .json = "", .factors = true},
    {.whole = true, .name = "biased coin", .keyword = "biased_coin", .toml = "", .json = "", .planned = 500, .factors = true},
    {.name = "biased coin 3:1:1",
     .keyword = "biased_coin",
     .toml = "probability = 0.6\n",
     .json = R"("probability":0.6)",
     .ratio = {3, 1, 1}},
    {.whole = true,
     .name = "big stick in strata",
     .keyword = "big_stick",
     .toml = "maximum_imbalance = 2\n",
     .json = R"("maximum_imbalance":2)",
     .factors = true},
    {.whole = true, .name = "urn", .keyword = "urn", .toml = "alpha = 0\nbeta = 1\n", .json = R"("alpha":0,"beta":1)"},
    {.name = "urn in strata, 2:1:1",
     .keyword = "urn",
     .toml = "alpha = 2\nbeta = 3\n",
     .json = R"("alpha":2,"beta":3)",
     .factors = true,
     .ratio = {2, 1, 1}},
    {.name = "maximal procedure",
     .keyword = "maximal_procedure",
     .toml = "maximum_imbalance = 3\nparticipants = 24\n",
     .json = R"("maximum_imbalance":3,"participants":24)",
     .planned = 24},
    {.whole = true,
     .name = "maximal procedure in strata, free ends",
     .keyword = "maximal_procedure",
     .toml = "maximum_imbalance = 2\nparticipants = 10\nends = \"free\"\n",
     .json = R"("maximum_imbalance":2,"participants":10,"ends":"free")",
     .factors = true},
};
  return all;
}

std::string protocol_text(Method const& method) {
  std::string text = fmt::format(
      "format = 1\n[trial]\nid = \"replayed\"\ntitle = \"t\"\nversion = \"1\"\nplanned_participants = {}\n", method.planned);
  for (const char arm : {'a', 'b', 'c'}) text += fmt::format("[[arm]]\nid = \"{}\"\nrole = \"investigational\"\n", arm);
  text += R"toml([sites]
site = [{ id = "s1" }, { id = "s2"CAP }, { id = "s3" }]
[schedule]
visit = [{ id = "screening", day = -7, forms = ["person"] }]
[form.person]
sex = { kind = "code", codes = [["F", "Female"], ["M=,%", "Male"]] }
[randomisation]
)toml";
  text.replace(text.find("CAP"), 3, method.level_caps ? ", cap = 700" : "");
  text += fmt::format("method = \"{}\"\n{}ratio = {{ a = {}, b = {}, c = {} }}\n", method.keyword, method.toml, method.ratio[0],
                      method.ratio[1], method.ratio[2]);
  if (!method.arm_caps.empty()) text += "caps = { " + method.arm_caps + " }\n";
  if (method.factors) text += "factors = [{ id = \"site\" }, { id = \"sex\", rule = \"sex@screening\" }]\n";
  return text;
}

std::vector<std::int32_t> levels_of(Method const& method, std::uint8_t number, int i) {
  if (!method.factors) return {};
  const auto words = random::philox({std::uint32_t(i), number, 0, 0}, {1, 2});
  return {words[0] % 5 < 3 ? 0 : std::int32_t(words[0] % 5) - 2, std::int32_t(words[1] % 2)};
}

std::string case_text(Method const& method, Outcome const& outcome) {
  std::string levels, outcomes, shown;
  for (std::vector<std::int32_t> const& who : outcome.levels) {
    levels += levels.empty() ? "" : ",";
    levels += who.empty() ? "[]" : fmt::format("[{},{}]", who[0], who[1]);
  }
  std::size_t made = 0;
  for (const bool no : outcome.refused) {
    outcomes += outcomes.empty() ? "" : ",";
    outcomes += no ? "-1" : std::to_string(outcome.reveal.allocations[made++].arm[0] - 'a');
  }
  for (allocation::Receipt const& receipt : outcome.receipts) {
    std::string one = encoded(receipt);
    if (const std::string& nonce = outcome.reveal.allocations[std::size_t(receipt.number) - 1].nonce; !nonce.empty())
      one.insert(one.size() - 1, fmt::format(",\"nonce\":\"{}\"", nonce));
    shown += (shown.empty() ? "" : ",") + one;
  }
  std::string caps = method.arm_caps.empty() ? "" : "\"" + method.arm_caps;
  for (std::size_t at; (at = caps.find(" = ")) != std::string::npos;) caps.replace(at, 3, "\":");
  for (std::size_t at; (at = caps.find(", ")) != std::string::npos;) caps.replace(at, 2, ",\"");
  const std::string factors =
      method.factors
          ? fmt::format(R"({{"id":"site","levels":["s1","s2","s3"],"caps":{{{}}}}},{{"id":"sex","levels":["F","M=,%"]}})",
                        method.level_caps ? "\"s2\":700" : "")
          : "";
  return fmt::format(
      R"({{"name":"{}","trial":"{}","protocol":"{}","environment":"simulated","seed":"{}","method":"{}","parameters":{{{}}},"arms":["a","b","c"],)"
      R"("ratio":[{},{},{}],"caps":{{{}}},"factors":[{}],"planned":{},"commitment":{},"levels":[{}],"allocated":[{}],"receipts":[{}]}})",
      method.name, outcome.commitment.trial, outcome.commitment.protocol, outcome.reveal.seed, method.keyword, method.json, method.ratio[0], method.ratio[1],
      method.ratio[2], caps, factors, method.planned, encoded(outcome.commitment), levels, outcomes, shown);
}

}  // namespace equipoise::replayed
