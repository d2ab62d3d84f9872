#include <algorithm>
#include <array>

#include "equipoise/report/tables.h"
#include "equipoise/report/tables/parts.h"

namespace equipoise::report::tables {
namespace {

using results::Alternative;

/// Names of choices in the two languages; {keyword, English, Chinese}.
using Name = std::array<std::string_view, 3>;
constexpr std::array<Name, 20> names{
    {{"satterthwaite", "Satterthwaite", "Satterthwaite 法"},
     {"kenward_roger", "Kenward and Roger", "Kenward-Roger 法"},
     {"kenward_roger_linear", "Kenward and Roger, linear", "Kenward-Roger 法（线性）"},
     {"between_within", "Between and within participants", "受试者间与受试者内"},
     {"residual", "Residual", "残差"},
     {"asymptotic", "Normal distribution", "正态分布"},
     {"unstructured", "Unstructured", "非结构化"},
     {"toeplitz", "Toeplitz", "Toeplitz"},
     {"heterogeneous_toeplitz", "Heterogeneous Toeplitz", "异方差 Toeplitz"},
     {"ante_dependence", "Ante-dependence", "前依赖"},
     {"heterogeneous_ante_dependence", "Heterogeneous ante-dependence", "异方差前依赖"},
     {"ar1", "AR(1)", "AR(1)"},
     {"heterogeneous_ar1", "Heterogeneous AR(1)", "异方差 AR(1)"},
     {"compound_symmetry", "Compound symmetry", "复合对称"},
     {"heterogeneous_compound_symmetry", "Heterogeneous compound symmetry", "异方差复合对称"},
     {"spatial_exponential", "Spatial exponential", "空间指数"},
     {"heterogeneous_spatial_exponential", "Heterogeneous spatial exponential", "异方差空间指数"},
     {"model", "Standard errors of the model", "模型标准误"},
     {"cr2", "Sandwich standard errors (CR2)", "三明治标准误（CR2）"},
     {"cr0", "Sandwich standard errors (CR0)", "三明治标准误（CR0）"}}};
constexpr std::array<Name, 5> choices{{{"planned", "As planned", "按计划"},
                                       {"degrees_of_freedom", "Degrees of freedom", "自由度"},
                                       {"covariance", "Covariance of the visits", "访视间协方差"},
                                       {"missing_data", "Other analyses of the protocol", "方案的其他分析"},
                                       {"analysis_set", "Analysis set", "分析集"}}};

template <std::size_t N>
std::string name_in(Context const& context, std::array<Name, N> const& all, std::string_view keyword) {
  for (Name const& one : all)
    if (one[0] == keyword && !keyword.empty()) return said(context, one[1], one[2]);
  return results::in_plain_words(keyword);
}

std::string name_of(Context const& context, Alternative const& one) {
  const results::AnalysisRun* run =
      one.choice == "missing_data" || one.choice == "analysis_set" ? context.run(one.name) : nullptr;
  if (!run) return name_in(context, names, one.name);
  const std::string set = one.choice == "analysis_set" ? ", " + context.set(run->set) : "";
  // By its own name where it has one.
  const std::string own = context.analysis(*run), method = context.method(*run);
  if (own != context.endpoint(run->endpoint))
    return context.words.chinese() ? own + "（" + method + set + "）" : own + " (" + method + set + ")";
  return method + set + " (" + run->id + ")";
}

std::vector<Alternative const*> of_run(Context const& context, results::AnalysisRun const& run) {
  std::vector<Alternative const*> own;
  for (Alternative const& one : context.answer.alternatives)
    if (one.analysis == run.id) own.push_back(&one);
  return own;
}

std::string dependence_caption(Context const& context, results::AnalysisRun const& run) {
  return said(context, "Does the conclusion depend on a choice? ", "结论是否取决于某项选择？") + context.analysis(run);
}

}  // namespace

Table dependence(Context const& context, results::AnalysisRun const& run) {
  const std::vector<Alternative const*> own = of_run(context, run);
  if (own.empty()) return {};
  Table table{.id = "choices_" + run.id,
              .caption = dependence_caption(context, run),
              .chapter = Table::Chapter::efficacy,
              .population = context.set(run.set),
              .n = run.n};
  std::vector<std::string> arms;
  for (Alternative const* one : own)
    if (std::ranges::find(arms, one->arm) == arms.end()) arms.push_back(one->arm);
  const bool adjusted = std::ranges::any_of(own, [](Alternative const* one) { return one->adjusted_p.has_value(); });
  const bool depends = std::ranges::any_of(own, [](Alternative const* one) { return one->differs; });

  Grid grid{.columns = {{.name = Cell(said(context, "Analysed with", "分析方式")), .align = Column::Align::left}}};
  for (std::string const& arm : arms) grid.columns.push_back({.name = Cell(context.arm(arm))});

  const auto cell = [&](Alternative const& one) {
    Finding finding{.quantity = "estimate", .value = one.estimate, .se = one.se, .lower = one.lower, .upper = one.upper};
    const results::Printed text = context.printed(run.id, finding);
    std::vector<Value> numbers{value::estimate(finding, text)};
    for (Value& limit : value::limits(finding, text)) numbers.push_back(std::move(limit));
    Cell out(of_values(Piece::Kind::plain, "{} (" + results::interval("{}", "{}", context.language()) + ")", numbers));
    std::vector<Value> p{value::p("p", one.p, context.alpha())};
    std::string below = results::p_statement(one.p, context.alpha());
    if (one.adjusted_p) {
      p.push_back(value::p("adjusted_p", *one.adjusted_p, context.alpha()));
      below += said(context, ", adjusted ", "，校正后 ") + p.back().printed;
    }
    if (one.differs) below += said(context, "; ", "；");
    out.pieces.push_back({Piece::Kind::place, below, std::move(p)});
    if (one.differs) out.pieces.push_back({Piece::Kind::alert, said(context, "another conclusion", "结论不同")});
    return out;
  };
  for (std::size_t i = 0; i < own.size();) {
    const std::size_t first = i;
    Row row{.head = Cell(name_of(context, *own[first])), .cells = std::vector<Cell>(arms.size())};
    row.head.pieces.push_back({Piece::Kind::place, name_in(context, choices, own[first]->choice)});
    for (; i < own.size() && own[i]->choice == own[first]->choice && own[i]->name == own[first]->name; ++i)
      row.cells[std::size_t(std::ranges::find(arms, own[i]->arm) - arms.begin())] = cell(*own[i]);
    grid.add(std::move(row));
  }
  Paragraph lead;
  if (depends)
    lead.pieces = {{Piece::Kind::alert, said(context, "Yes: ", "是：")},
                   {Piece::Kind::plain,
                    said(context, "with some of these choices the conclusion is another.", "采用其中某些选择时，结论不同。")}};
  else
    lead.pieces = {{Piece::Kind::plain, said(context, "No: with each of these choices the conclusion is the same.",
                                             "否：采用其中任何一项选择，结论均相同。")}};
  table.parts.emplace_back(std::move(lead));
  table.parts.emplace_back(std::move(grid));
  table.remarks.push_back(
      said(context,
           "Difference from the control with its interval; a conclusion is whether, and in which direction, there is a "
           "difference at the protocol's level",
           "与对照组之差及其区间；结论指在方案规定的水平上是否有差异及其方向") +
      (adjusted ? said(context, " after the adjustment for several hypotheses.", "，并经多重性校正。")
                : said(context, ".", "。")));
  return table;
}

}  // namespace equipoise::report::tables
