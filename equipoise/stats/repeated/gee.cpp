#include "equipoise/stats/repeated/gee.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "equipoise/core/text.h"
#include "equipoise/numerics/distributions.h"
#include "equipoise/stats/parts.h"
#include "equipoise/stats/repeated/grid_questions.h"

namespace equipoise::stats {
namespace {

constexpr std::size_t few_subjects = 40;  // below, uncorrected sandwiches are too small: Mancl & DeRouen (2001)
constexpr std::size_t most_named = 12;    // in a note

constexpr std::pair<std::string_view, Family> family_words[] = {
    {"binomial", Family::binomial}, {"gaussian", Family::gaussian}, {"poisson", Family::poisson}};
constexpr std::pair<std::string_view, Family> link_words[] = {
    {"logit", Family::binomial}, {"identity", Family::gaussian}, {"log", Family::poisson}};
constexpr std::pair<std::string_view, Dependence> correlation_words[] = {{"independence", Dependence::independence},
                                                                         {"exchangeable", Dependence::exchangeable},
                                                                         {"ar1", Dependence::ar1},
                                                                         {"unstructured", Dependence::unstructured}};
constexpr std::pair<std::string_view, Correction> correction_words[] = {{"none", Correction::none},
                                                                        {"mancl_derouen", Correction::mancl_derouen},
                                                                        {"kauermann_carroll", Correction::kauermann_carroll},
                                                                        {"fay_graubard", Correction::fay_graubard}};
constexpr std::pair<std::string_view, GridWeights> weight_words[] = {{"equal", GridWeights::equal},
                                                                     {"proportional", GridWeights::proportional}};

template <class E, std::size_t N>
std::string_view word_of(std::pair<std::string_view, E> const (&words)[N], E meaning) {
  for (auto const& [text, its_meaning] : words)
    if (its_meaning == meaning) return text;
  return {};
}

std::string_view name_of(Correction correction) {
  switch (correction) {
    case Correction::none:
      return "without small-sample correction";
    case Correction::mancl_derouen:
      return "with the correction of Mancl and DeRouen";
    case Correction::kauermann_carroll:
      return "with the correction of Kauermann and Carroll";
    case Correction::fay_graubard:
      break;
  }
  return "with the correction of Fay and Graubard";
}

std::string plural(std::size_t count, std::string_view noun) { return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s"); }

std::optional<GeeDf> parse_df(Section& options) {
  Node const* value = options.take("df");
  if (!value) return GeeDf{};
  if (const auto number = value->number(); number && *number > 0 && std::isfinite(*number))
    return GeeDf{GeeDf::Rule::given, *number};
  if (value->text() && *value->text() == "normal") return GeeDf{};
  if (value->text() && *value->text() == "subjects_minus_coefficients") return GeeDf{GeeDf::Rule::subjects_minus_coefficients};
  options.report_at("df", Code::wrong_type,
                    "'df' in {} must be \"normal\", \"subjects_minus_coefficients\" or a number above 0", options.name());
  return {};
}

/// Writes the findings of one fit.
class Writer {
 public:
  Writer(Gee const& method, Frame const& frame, Design const& design, Subjects const& subjects, GeeFit const& fit)
      : method_(method),
        frame_(frame),
        design_(design),
        subjects_(subjects),
        fit_(fit),
        grid_(frame, method.model.formula, design, method.weights),
        df_(degrees_of_freedom()),
        half_width_(numerics::student_t_interval(method.level, df_)) {}

  Answer write() {
    for (GridQuestion const& question : grid_questions(grid_, frame_, method_.factor, method_.contrasts, answer_.notes)) {
      const GeeFunction f = question.function.empty() ? GeeFunction() : fit_.function(question.function);
      if (fit_.solved() && !question.function.empty() && !f.estimable()) undetermined_.push_back(question.words);
      add(question.at, f, question.comparison, subjects_in(question.cells), question.words);
    }
    for (TermColumns const& term : design_.terms) effect(term);
    coefficients();
    std::move(later_.begin(), later_.end(), std::back_inserter(answer_.findings));
    correlation();
    number("n_observations", double(frame_.rows));
    number("n_subjects", double(subjects_.count()));
    notes();
    return std::move(answer_);
  }

 private:
  std::int64_t all_subjects() const { return std::int64_t(subjects_.count()); }
  bool normal() const { return method_.df.rule == GeeDf::Rule::normal; }
  double degrees_of_freedom() const {
    if (normal()) return std::numeric_limits<double>::infinity();
    if (method_.df.rule == GeeDf::Rule::given) return method_.df.given;
    const double df = double(subjects_.count()) - double(fit_.rank());
    return df > 0 ? df : missing_number;
  }

  void number(std::string quantity, double value, At at = {}) {
    answer_.findings.push_back({.quantity = std::move(quantity), .at = std::move(at), .value = value, .n = all_subjects()});
  }

  /// The response itself at a place on the link scale: what it is called, or "" on the identity link.
  std::string_view back_transformed(At const& at) const {
    const bool mean = at.contains("lsmean");
    if (method_.spec.family == Family::gaussian || at.contains("contrast")) return {};
    if (method_.spec.family == Family::binomial) return mean ? "share" : "odds_ratio";
    return mean ? "mean" : "rate_ratio";
  }
  double from_link(double value, bool mean) const {
    if (!mean || method_.spec.family == Family::poisson) return std::exp(value);
    return value > 0 ? 1 / (1 + std::exp(-value)) : std::exp(value) / (1 + std::exp(value));
  }

  void add(At const& at, GeeFunction const& f, bool tested, std::int64_t n, std::string const& words) {
    const double se = fit_.robust_se(f), lower = f.value - half_width_ * se, upper = f.value + half_width_ * se;
    const double p = numerics::student_t_two_sided(f.value / se, df_);
    if (f.estimable() && std::isnan(se) && !fit_.perfect())
      (fit_.rests_on_one(f) ? on_one_ : no_variance_).push_back(words);
    Finding found{.quantity = "estimate",
                  .at = at,
                  .value = f.value,
                  .se = se,
                  .lower = lower,
                  .upper = upper,
                  .level = method_.level,
                  .n = n};
    if (tested) found.p = p;
    if (!normal()) found.df = f.estimable() ? df_ : missing_number;
    answer_.findings.push_back(std::move(found));
    const bool intercept = at.contains("term") && std::get<Term>(at.at("term")).empty();
    if (const std::string_view name = back_transformed(at); !name.empty() && !intercept) {
      const bool mean = at.contains("lsmean");
      Finding back{.quantity = std::string(name),
                   .at = at,
                   .value = from_link(f.value, mean),
                   .lower = from_link(lower, mean),
                   .upper = from_link(upper, mean),
                   .level = method_.level,
                   .n = n,
                   .scale = mean && method_.spec.family == Family::binomial ? Scale::logit : Scale::log};
      if (tested) back.p = p;
      answer_.findings.push_back(std::move(back));
    }
    later_.push_back({.quantity = "robust_se", .at = at, .value = se, .n = n});
    later_.push_back({.quantity = "model_se", .at = at, .value = fit_.model_se(f), .n = n});
    if (!tested) return;
    later_.push_back({.quantity = normal() ? "z" : "t", .at = at, .value = f.value / se, .n = n});
    if (!normal()) later_.back().df = df_;
  }

  /// Participants with a row in one of the cells.
  std::int64_t subjects_in(std::vector<Term> const& cells) const {
    std::vector<std::uint8_t> row_in(frame_.rows, 0);
    for (Term const& cell : cells) {
      std::vector<std::pair<std::span<const std::int32_t>, std::int32_t>> wanted;
      for (Factor const& f : cell) {
        CategoriesView const& category = frame_.categories(f.column);
        const auto at = std::find(category.levels.begin(), category.levels.end(), *f.level);
        wanted.emplace_back(category.codes, std::int32_t(at - category.levels.begin()));
      }
      for (std::size_t i = 0; i < frame_.rows; ++i)
        if (std::all_of(wanted.begin(), wanted.end(), [&](auto const& w) { return w.first[i] == w.second; })) row_in[i] = 1;
    }
    std::int64_t count = 0;
    for (std::size_t k = 0; k < subjects_.count(); ++k)
      count += std::any_of(subjects_.rows.begin() + std::ptrdiff_t(subjects_.first[k]),
                           subjects_.rows.begin() + std::ptrdiff_t(subjects_.first[k + 1]),
                           [&](std::size_t row) { return row_in[row] != 0; });
    return count;
  }

  void effect(TermColumns const& term) {
    Term columns;
    for (std::string const& column : term.factors) columns.push_back({column, {}});
    std::sort(columns.begin(), columns.end());
    std::vector<GeeFunction> hypothesis;
    for (auto const& row : grid_.hypothesis(term.factors)) hypothesis.push_back(fit_.function(row));
    const bool estimable = !hypothesis.empty() && std::all_of(hypothesis.begin(), hypothesis.end(),
                                                              [](GeeFunction const& f) { return f.estimable(); });
    const GeeFit::Wald wald = estimable ? fit_.test(hypothesis) : GeeFit::Wald{};
    const std::string words = "the effect " + join(term.factors, ":");
    if (fit_.solved() && !estimable) undetermined_.push_back(words);
    else if (fit_.solved() && std::isnan(wald.chi_square) && !fit_.perfect()) no_variance_.push_back(words);
    const double df = wald.df > 0 ? wald.df : missing_number;
    answer_.findings.push_back({.quantity = "chi_square",
                                .at = {{"effect", std::move(columns)}},
                                .value = wald.chi_square,
                                .df = df,
                                .p = numerics::f_upper(wald.chi_square / df, df, df_),
                                .n = all_subjects()});
  }

  void coefficients() {
    const auto add_term = [&](Term const& term, GeeFunction const& f) {
      add({{"term", term}}, f, true, all_subjects(), term.empty() ? "the intercept" : "the coefficient of " + to_text(term));
    };
    for (std::size_t j = 0; j < design_.names.size(); ++j) {
      Term const& term = design_.names[j];
      const bool compared = !lacks_reference(frame_, term);
      add_term(term, compared ? fit_.coefficient(j) : GeeFunction());
      if (compared && fit_.solved() && !fit_.used(j))
        answer_.notes.push_back(
            fmt::format("Coefficient of {}: constant, or determined by earlier terms; not estimable.", to_text(term)));
    }
    for (Term const& term : uncompared(frame_, method_.model.formula, design_.names)) add_term(term, {});
  }

  void correlation() {
    number("dispersion", fit_.solved() ? fit_.dispersion() : missing_number);
    const Dependence dependence = method_.spec.correlation;
    if (dependence == Dependence::independence) return;
    const bool known = fit_.solved() && !fit_.perfect();
    if (dependence != Dependence::unstructured) {
      number("working_correlation", known ? fit_.correlation().parameter() : missing_number);
      return;
    }
    const auto visits = frame_.categories(method_.visit).levels;
    for (std::size_t j = 0; j < visits.size(); ++j)
      for (std::size_t k = j + 1; k < visits.size(); ++k) {
        const double value = known ? fit_.correlation().parameter(j, k) : missing_number;
        number("working_correlation", value, {{"row", visits[j]}, {"column", visits[k]}});
        if (known && std::isnan(value)) apart_.push_back(fmt::format("'{}' and '{}'", visits[j], visits[k]));
      }
  }

  void list(std::string_view before, std::vector<std::string> const& names) {
    if (names.empty()) return;
    std::vector<std::string> shown(names.begin(), names.begin() + std::ptrdiff_t(std::min(most_named, names.size())));
    if (names.size() > most_named) shown.push_back(fmt::format("{} more", names.size() - most_named));
    answer_.notes.push_back(fmt::format("{}: {}.", before, join(shown, "; ")));
  }

  void model_notes() {
    auto& notes = answer_.notes;
    const std::string_view working = word_of(correlation_words, method_.spec.correlation);
    notes.push_back(fmt::format("Generalised estimating equations, {} family, {} link, working correlation {}.",
                                word_of(family_words, method_.spec.family), word_of(link_words, method_.spec.family), working));
    if (method_.spec.correlation == Dependence::ar1) {
      const auto visits = frame_.categories(method_.visit).levels;
      notes.push_back(fmt::format("Visits in the order {}: a step of one is one lag.", quoted({visits.begin(), visits.end()})));
    }
    std::string reference = "the normal distribution";
    if (!normal()) reference = std::isnan(df_) ? "no distribution, as there are no more participants than coefficients"
                                               : fmt::format("the t distribution with {} degrees of freedom", shortest(df_));
    notes.push_back(fmt::format("Robust (sandwich) standard errors over {}, {}; P values and limits from {}.",
                                plural(subjects_.count(), "participant"), name_of(method_.spec.correction), reference));
    if (method_.spec.correction == Correction::none && subjects_.count() < few_subjects && frame_.rows > 0)
      notes.push_back("With fewer than about 40 participants these standard errors tend to be too small: see the option `correction`.");
  }

  void fit_notes() {
    auto& notes = answer_.notes;
    switch (fit_.status()) {
      case GeeFit::Status::no_rows:
        notes.push_back("No row: nothing is estimable.");
        return;
      case GeeFit::Status::infinite:
        notes.push_back(infinite());
        return;
      case GeeFit::Status::no_convergence:
        notes.push_back(fmt::format("The equations did not converge in {} (last step {:.2g} standard errors): nothing is estimable.",
                                    plural(std::size_t(fit_.iterations()), "iteration"), fit_.distance()));
        return;
      case GeeFit::Status::correlation_range:
        notes.push_back(out_of_range());
        return;
      case GeeFit::Status::converged:
        break;
    }
    if (fit_.perfect())
      notes.push_back("The model fits every row exactly: correlation, standard errors, tests and limits are not estimable.");
    else if (method_.spec.correlation != Dependence::independence && fit_.correlation().pairs() == 0)
      notes.push_back("No participant has two rows: the working correlation is not estimable, and not needed.");
    if (fit_.impossible_pairs() > 0)
      notes.push_back(fmt::format(
          "The working correlation of {} of rows is beyond what yes/no responses of their means can have: it is that of no distribution.",
          plural(fit_.impossible_pairs(), "pair")));
    if (fit_.correlation().pairs() > 0) list("No participant has both visits, so that their correlation is not estimable", apart_);
  }

  std::string infinite() const {
    std::vector<std::string> names;
    for (std::size_t j = 1; j < design_.names.size(); ++j)
      if (fit_.infinite(j)) names.push_back(to_text(design_.names[j]));
    const NumbersView y = frame_.numbers(method_.response);
    const bool constant = std::all_of(y.begin(), y.end(), [&](double value) { return value == y[0]; });
    const std::string all = method_.spec.family == Family::poisson ? "0" : y[0] == 0 ? "no" : "yes";
    if (constant) return fmt::format("Every response is {}: nothing is estimable.", all);
    return fmt::format("The responses are separated{}: {} coefficient is infinite, and nothing is estimable.",
                       names.empty() ? "" : " by " + join(names, "; "), names.size() == 1 ? "that" : "some");
  }

  std::string out_of_range() const {
    const double a = fit_.correlation().parameter();
    const std::string estimate =
        method_.spec.correlation == Dependence::unstructured ? "The estimated correlation matrix of the visits of a participant"
        : fmt::format("The estimated correlation {:.3g} of a participant's rows", a);
    return fmt::format("{} is not positive definite: nothing is estimable. Another working correlation, in the last resort independence, "
                       "has the same interpretation.", estimate);
  }

  void notes() {
    model_notes();
    fit_notes();
    for (std::string const& note : design_.notes) answer_.notes.push_back(note + ".");
    for (ReferenceGrid::GridFactor const& f : grid_.factors())
      if (!f.absent.empty() && !f.levels.empty())
        answer_.notes.push_back(fmt::format("No row has {} of '{}': not estimable, and left out of averages over '{}'.",
                                            quoted(f.absent), f.column, f.column));
    if (!grid_.factors().empty()) {
      std::string others = ".";
      if (grid_.factors().size() > 1)
        others = method_.weights == GridWeights::equal
                     ? ", over other factors with equal weights of their levels."
                     : ", over other factors in proportion to the observed frequencies of their levels.";
      const bool transformed = method_.spec.family != Family::gaussian;
      answer_.notes.push_back(fmt::format("LS means {}at the mean of the covariates{}",
                                          transformed ? "on the scale of the link, " : "", others));
      answer_.notes.push_back("P values and limits are not adjusted for multiplicity.");
    }
    if (!design_.terms.empty()) answer_.notes.push_back("Effects: Wald tests with robust variance, sum-to-zero coding of the factors.");
    list("Not estimable, because the rows do not determine them", undetermined_);
    list("One participant alone determines a part of these, so that no standard error is estimable", on_one_);
    list("The participants' residuals leave no variance for these, so that no standard error is estimable", no_variance_);
  }

  Gee const& method_;
  Frame const& frame_;
  Design const& design_;
  Subjects const& subjects_;
  GeeFit const& fit_;
  ReferenceGrid grid_;
  double df_, half_width_;
  Answer answer_;
  std::vector<Finding> later_;
  std::vector<std::string> undetermined_, on_one_, no_variance_, apart_;
};

}  // namespace

MethodCard const& Gee::card() {
  static const MethodCard card{
      .keyword = "gee",
      .title = "Generalised estimating equations",
      .roles = {{"response", Need::number, Presence::required, "the analysed value; yes 1, no 0 for binomial, a count for poisson"},
                {"subject", Need::category, Presence::required, "participant, whose rows depend on each other"},
                {"visit", Need::category, Presence::optional, "visit of the row; needed by ar1 and unstructured"}},
      .options = {{"formula", "terms of the model: a + b, a:b, a * b", "right-hand side, with intercept"},
                  {"levels", "{ column = [level, ...] }", "categorical columns and their levels, the reference first"},
                  {"family", "binomial | gaussian | poisson", "variance of the response: m (1 - m), constant, m"},
                  {"link", "logit | identity | log", "the canonical link of the family (logit, identity, log)"},
                  {"working_correlation", "independence | exchangeable | ar1 | unstructured", "of the rows of a participant"},
                  {"visits", "[visit, ...]", "order of the visits, when `levels` does not have it"},
                  {"correction", "none | mancl_derouen | kauermann_carroll | fay_graubard",
                   "small-sample correction of the standard errors (none)"},
                  {"df", "normal | subjects_minus_coefficients | number above 0", "distribution of tests and limits (normal)"},
                  {"factor", "a category of the formula", "whose means and differences come first (the first category)"},
                  {"lsmean_weights", "equal | proportional",
                   "averaging of LS means over other factors: equal, or by observed frequencies (equal)"},
                  {"contrasts", "[{ name, factor, weights = { level = number } }]", "comparisons of LS means"},
                  {"level", "number above 0 and below 1", "confidence level, two-sided (0.95)"}},
      .quantities = {"estimate", "robust_se", "p", "se", "df", "lower", "upper", "model_se", "z", "t", "chi_square", "odds_ratio",
                     "odds_ratio_lower", "odds_ratio_upper", "rate_ratio", "rate_ratio_lower", "rate_ratio_upper", "share",
                     "share_lower", "share_upper", "mean", "mean_lower", "mean_upper", "dispersion", "working_correlation", "n_observations", "n_subjects"},
      .comparison = Comparison::all_arms};
  return card;
}

std::optional<Gee> Gee::parse(Roles const& roles, Section& options, Match) {
  const std::size_t problems_before = options.problems().size();
  Gee method;
  check_roles(card(), roles, options);
  method.response = role(roles, "response");
  method.subject = role(roles, "subject");
  method.visit = role(roles, "visit");
  method.model = parse_model_terms(options);
  options.need("family"), options.need("working_correlation");
  const auto family = options.has("family") ? options.word<Family>("family", family_words) : std::nullopt;
  if (family) method.spec.family = *family;
  const auto link = options.word<Family>("link", link_words);
  if (family && link && *link != *family)
    options.report_at("link", Code::not_available, "the link of family '{}' is '{}', and no other is available here",
                      word_of(family_words, *family), word_of(link_words, *family));
  if (options.has("working_correlation"))
    method.spec.correlation =
        options.word<Dependence>("working_correlation", correlation_words).value_or(Dependence::independence);
  const bool by_visit = method.spec.correlation == Dependence::ar1 || method.spec.correlation == Dependence::unstructured;
  if (by_visit && method.visit.empty())
    options.report_at("working_correlation", Code::missing_key, "the working correlation '{}' needs a column for the role 'visit'",
                      word_of(correlation_words, method.spec.correlation));
  method.spec.correction = options.word<Correction>("correction", correction_words).value_or(Correction::none);
  method.df = parse_df(options).value_or(GeeDf{});
  method.factor = parse_factor(options, method.model, false);
  method.weights = options.word<GridWeights>("lsmean_weights", weight_words).value_or(GridWeights::equal);
  method.contrasts = parse_contrasts(options, method.model);
  method.level = parse_level(options);

  std::vector<std::string> visits;
  if (auto given = options.texts("visits")) {
    visits = std::move(*given);
    if (method.visit.empty())
      options.report_at("visits", Code::inconsistent, "'visits' in {} is given without a column for the role 'visit'", options.name());
    else if (const auto known = method.model.levels.find(method.visit); known != method.model.levels.end() && known->second != visits)
      options.report_at("visits", Code::inconsistent, "'visits' and the levels of '{}' are two orders", method.visit);
    std::vector<std::string> sorted = visits;
    std::sort(sorted.begin(), sorted.end());
    if (const auto twice = std::adjacent_find(sorted.begin(), sorted.end()); twice != sorted.end())
      options.report_at("visits", Code::duplicate, "'visits' in {} has '{}' twice", options.name(), *twice);
    if (visits.empty()) options.report_at("visits", Code::no_data, "'visits' in {} is empty", options.name());
  }
  add_need(method.needs_, {method.response, Need::number}, options);
  method.model.add_needs(method.needs_, options);
  add_need(method.needs_, {method.subject, Need::category}, options);
  add_need(method.needs_, {.name = method.visit, .need = Need::category, .levels = visits}, options);
  return options.problems().size() == problems_before ? std::optional(method) : std::nullopt;
}

Expected<Answer> Gee::run(Frame const& frame) const {
  const NumbersView y = frame.numbers(response);
  for (const double value : y) {
    if (!std::isfinite(value))
      return fail(Code::bad_cell, "column '{}' holds {}: a response must be finite", response, shortest(value));
    if (spec.family == Family::binomial && value != 0 && value != 1)
      return fail(Code::bad_cell, "column '{}' holds {}: a yes/no response is 1 or 0", response, shortest(value));
    if (spec.family == Family::poisson && (value < 0 || value != std::floor(value)))
      return fail(Code::bad_cell, "column '{}' holds {}: a count is a whole number, 0 or more", response, shortest(value));
  }
  const auto subjects =
      by_subject(frame.categories(subject), subject, visit.empty() ? nullptr : &frame.categories(visit), visit);
  if (!subjects) return tl::unexpected(subjects.error());
  const auto design = build_design(frame, model.formula, Intercept::first);
  if (!design) return tl::unexpected(design.error());
  const auto fit = GeeFit::fit(*design, y, *subjects, spec);
  if (!fit) return tl::unexpected(fit.error());
  return Writer(*this, frame, *design, *subjects, *fit).write();
}

}  // namespace equipoise::stats
