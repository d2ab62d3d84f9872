#include "equipoise/stats/imputation/imputation_answer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "equipoise/core/text.h"
#include "equipoise/stats/imputation/multiple_imputation.h"
#include "equipoise/stats/imputation/resampling.h"
#include "equipoise/stats/imputation/tipping_point.h"

namespace equipoise::stats {
namespace {

/// Answers of one analysis as findings.
class Writer {
 public:
  Writer(ReferenceBasedImputation const& method, ImputedAnalysis& analysis, VisitGrid const& strategies)
      : method_(method), analysis_(analysis), strategies_(strategies) {
    auto const& levels = analysis.frame->categories(method.plan.roles.group).levels;
    levels_.assign(levels.begin(), levels.end());
    reference_ = std::int32_t(std::find(levels_.begin(), levels_.end(), method.plan.model.reference) - levels_.begin());
    members_.assign(levels_.size(), 0);
    for (const std::int32_t group : analysis.grid.group) ++members_[std::size_t(group)];
    questions_ = analysis.ancova->questions().size();
  }

  Expected<Answer> write() {
    if (auto judged = judge(); !judged) return tl::unexpected(judged.error());
    const std::size_t m = analysis_.grid.m();
    std::vector<std::size_t> visits{analysis_.question_visit};
    for (std::size_t j = 0; j < m; ++j)
      if (j != analysis_.question_visit) visits.push_back(j);
    for (const std::size_t j : visits) {
      for (std::size_t q = 0; q < questions_; ++q)
        if (analysis_.ancova->questions()[q].difference()) add_difference(j, q);
      for (std::size_t q = 0; q < questions_; ++q)
        if (!analysis_.ancova->questions()[q].difference()) add_mean(j, q);
    }
    if (method_.tipping)
      for (std::size_t q = 0; q < questions_; ++q) tip(q);
    add_imputed();
    add_model();
    notes();
    return std::move(answer_);
  }

 private:
  std::size_t place(std::size_t visit, std::size_t question) const { return visit * questions_ + question; }
  std::size_t slope_place(std::int32_t group, std::size_t question) const {
    return analysis_.ancova->size() + std::size_t(group) * questions_ + question;
  }

  /// The estimates with their errors, by the way that was asked for.
  Expected<void> judge() {
    direct_ = analysis_.answers();
    double size = 0;
    for (const double value : analysis_.completed) size = std::fmax(size, std::abs(value));
    if (!draws_values(method_.variance)) {
      const bool jack = method_.variance == ImputationVariance::jackknife;
      kind_ = jack ? Resampling::jackknife : Resampling::bootstrap;
      replicates_ = jack ? jackknife(analysis_) : bootstrap(analysis_, method_.samples, method_.seed);
      for (std::size_t c = 0; c < analysis_.ancova->size(); ++c) {
        Uncertain made{.estimate = direct_[c]};
        if (!std::isnan(direct_[c])) made.se = std::sqrt(covariance(replicates_, c, c, kind_));
        settle(made, size);
        estimates_.push_back(made);
      }
      return {};
    }
    auto made = method_.variance == ImputationVariance::bayes
                    ? bayesian_imputations(analysis_, method_.samples, {.seed = method_.seed, .burn_in = method_.burn_in, .thin = method_.thin})
                    : bootstrap_imputations(analysis_, method_.samples, method_.seed);
    if (!made) return tl::unexpected(made.error());
    imputations_ = std::move(*made);
    for (std::size_t c = 0; c < analysis_.ancova->size(); ++c) {
      const Pooled pooled = imputations_->pooled(c);
      Uncertain one{.estimate = pooled.estimate, .se = pooled.se, .df = pooled.df, .lambda = pooled.lambda};
      settle(one, size);
      estimates_.push_back(one);
    }
    return {};
  }

  /// An error that is rounding of the values is none; one that is too large for a number is not known.
  void settle(Uncertain& one, double size) {
    if (!std::isfinite(one.estimate)) one.estimate = missing_number;
    if (!std::isfinite(one.se)) one.se = missing_number;
    if (one.se <= 1e-13 * size) {
      one.se = 0;
      without_error_ = true;
    }
  }

  Finding finding(Uncertain const& one, At at, std::int64_t n) const {
    const double half = one.half_width(method_.level);
    Finding made{.quantity = "estimate",
                 .at = std::move(at),
                 .value = one.estimate,
                 .se = one.se,
                 .lower = one.estimate - half,
                 .upper = one.estimate + half,
                 .level = method_.level,
                 .p = one.p(),
                 .n = n};
    if (draws_values(method_.variance)) made.df = std::isinf(one.df) ? missing_number : one.df;
    return made;
  }

  void add(Uncertain const& one, At at, std::int64_t n) {
    if (!std::isnan(one.lambda)) lambdas_.push_back({.quantity = "lambda", .at = at, .value = one.lambda, .n = n});
    answer_.findings.push_back(finding(one, std::move(at), n));
  }

  Term cell(std::int32_t level, std::size_t visit) const {
    Term term{{method_.plan.roles.group, levels_[std::size_t(level)]}, {method_.plan.roles.visit, analysis_.grid.visits[visit]}};
    std::sort(term.begin(), term.end());
    return term;
  }

  void add_mean(std::size_t visit, std::size_t q) {
    const std::int32_t level = analysis_.ancova->questions()[q].level;
    add(estimates_[place(visit, q)], {{"lsmean", cell(level, visit)}}, members_[std::size_t(level)]);
  }

  /// Against the reference when it is one of the two.
  bool turned(CompletedAncova::Question const& question) const { return question.level == reference_; }

  At difference_at(CompletedAncova::Question const& question, std::size_t visit) const {
    const std::size_t level = std::size_t(turned(question) ? question.minus : question.level),
                      minus = std::size_t(turned(question) ? question.level : question.minus);
    return {{"difference", LevelDifference{method_.plan.roles.group, levels_[level], levels_[minus]}},
            {"within", Term{{method_.plan.roles.visit, analysis_.grid.visits[visit]}}}};
  }

  void add_difference(std::size_t visit, std::size_t q) {
    CompletedAncova::Question const& question = analysis_.ancova->questions()[q];
    Uncertain one = estimates_[place(visit, q)];
    if (turned(question)) one.estimate = -one.estimate;
    add(one, difference_at(question, visit), members_[std::size_t(question.level)] + members_[std::size_t(question.minus)]);
  }

  /// The comparison under shifts, in the direction of `difference_at`.
  Shifted shifted(std::size_t q, std::int32_t group) const {
    const double sign = turned(analysis_.ancova->questions()[q]) ? -1.0 : 1.0;
    const std::size_t visit = analysis_.question_visit;
    const double own = direct_[slope_place(group, q)], reference = direct_[slope_place(reference_, q)];
    if (!imputations_) {
      const std::size_t columns[3] = {place(visit, q), slope_place(group, q), slope_place(reference_, q)};
      std::array<std::array<double, 3>, 3> v{};
      for (std::size_t a = 0; a < 3; ++a)
        for (std::size_t b = 0; b < 3; ++b) v[a][b] = covariance(replicates_, columns[a], columns[b], kind_);
      const double estimate = direct_[columns[0]];
      return [=](double delta, double delta_reference) {
        const double by[3] = {1, delta, delta_reference};
        double variance = 0;
        for (std::size_t a = 0; a < 3; ++a)
          for (std::size_t b = 0; b < 3; ++b) variance += by[a] * by[b] * v[a][b];
        return Uncertain{.estimate = sign * (estimate + delta * own + delta_reference * reference), .se = std::sqrt(variance)};
      };
    }
    return [this, q, group, sign, own, reference, visit](double delta, double delta_reference) {
      MultipleAnalyses const& sets = *imputations_;
      const std::size_t g = std::size_t(group), r = std::size_t(reference_), column = place(visit, q);
      std::vector<double> estimates, variances;
      for (std::size_t s = 0; s < sets.sets; ++s) {
        double const* residual = sets.residual.data() + s * (1 + sets.groups);
        const double square = residual[0] + 2 * delta * residual[1 + g] + 2 * delta_reference * residual[1 + r] +
                              delta * delta * sets.shift[g * sets.groups + g] +
                              2 * delta * delta_reference * sets.shift[g * sets.groups + r] +
                              delta_reference * delta_reference * sets.shift[r * sets.groups + r];
        estimates.push_back(sign * (sets.estimates[s * sets.questions + column] + delta * own + delta_reference * reference));
        variances.push_back(std::fmax(square, 0.0) * sets.unit_variance[q]);
      }
      const auto pooled = pool(estimates, variances, sets.complete_df[column]);
      return pooled ? Uncertain{.estimate = pooled->estimate, .se = pooled->se, .df = pooled->df} : Uncertain{};
    };
  }

  void tip(std::size_t q) {
    CompletedAncova::Question const& question = analysis_.ancova->questions()[q];
    if (!question.difference() || (question.level != reference_ && question.minus != reference_)) return;
    const std::int32_t group = turned(question) ? question.minus : question.level;
    const Shifted function = shifted(q, group);
    const At at = difference_at(question, analysis_.question_visit);
    std::vector<double> delta, delta_reference, estimate, lower, upper, p;
    for (const double own : method_.tipping->delta)
      for (const double reference : method_.tipping->delta_reference) {
        const Uncertain one = function(own, reference);
        const double half = one.half_width(method_.level);
        delta.push_back(own);
        delta_reference.push_back(reference);
        estimate.push_back(one.estimate);
        lower.push_back(one.estimate - half);
        upper.push_back(one.estimate + half);
        p.push_back(one.p());
      }
    answer_.series.push_back({.quantity = "tipping_point",
                              .at = at,
                              .columns = {{"delta", std::move(delta)},
                                          {"delta_reference", std::move(delta_reference)},
                                          {"estimate", std::move(estimate)},
                                          {"lower", std::move(lower)},
                                          {"upper", std::move(upper)},
                                          {"p", std::move(p)}}});
    std::int64_t count = 0;
    for (std::size_t i = 0; i < analysis_.grid.n(); ++i)
      count += analysis_.grid.group[i] == group && analysis_.deltas.shiftable[i * analysis_.grid.m() + analysis_.question_visit];
    const auto found = tipping_delta(function, direct_[slope_place(group, q)], 1 - method_.level);
    answer_.findings.push_back({.quantity = "tipping_point", .at = at, .value = found.value_or(missing_number), .n = count});
    auto const& names = std::get<LevelDifference>(at.at("difference"));
    const std::string change =
        function(0, 0).p() <= 1 - method_.level ? "no longer below" : "below";
    const std::string pair = fmt::format("'{}' less '{}'", names.level, names.minus);
    const std::string limit = fmt::format("{:.4g}", 1 - method_.level);
    if (count == 0)
      answer_.notes.push_back(fmt::format("No value of '{}' that deltas touch is imputed at visit '{}': there is no tipping point.",
                                          names.level, visit_name()));
    else if (!found)
      answer_.notes.push_back(
          fmt::format("{}: no shift of the {} imputed values of '{}' makes P {} {}.", pair, count, names.level, change, limit));
    else
      answer_.notes.push_back(fmt::format(
          "{}: P is {} {} when the {} imputed values of '{}' at visit '{}' are shifted by {:.4g} or further, those of '{}' not.",
          pair, change, limit, count, names.level, visit_name(), *found, names.minus));
  }

  std::string visit_name() const { return analysis_.grid.visits[analysis_.question_visit]; }

  void add_imputed() {
    for (std::size_t j = 0; j < analysis_.grid.m(); ++j)
      for (std::size_t g = 0; g < levels_.size(); ++g) {
        double count = 0;
        for (std::size_t i = 0; i < analysis_.grid.n(); ++i) count += analysis_.grid.group[i] == std::int32_t(g) && analysis_.grid.missing(i, j);
        answer_.findings.push_back(
            {.quantity = "n_imputed", .at = {{"lsmean", cell(std::int32_t(g), j)}}, .value = count, .n = members_[g]});
      }
    for (Finding& lambda : lambdas_) answer_.findings.push_back(std::move(lambda));
  }

  void add_model() {
    const auto n = std::int64_t(analysis_.grid.n());
    answer_.findings.push_back({.quantity = "n_subjects", .value = double(n), .n = n});
    if (!analysis_.model) return;
    answer_.findings.push_back(
        {.quantity = "n_observations", .value = double(analysis_.model->data().observations), .n = n});
    answer_.findings.push_back(
        {.quantity = "neg2_log_likelihood", .value = analysis_.model->fitted().neg2_log_likelihood, .n = n});
  }

  void notes() {
    std::vector<std::string> own;
    VisitGrid const& grid = strategies_;
    std::size_t missing = 0, people = 0, nothing = 0;
    std::map<std::string, std::size_t> strategies;
    for (std::size_t i = 0; i < grid.n(); ++i) {
      std::size_t of = 0;
      for (std::size_t j = 0; j < grid.m(); ++j) of += grid.missing(i, j);
      missing += of;
      people += of > 0;
      nothing += of == grid.m();
      if (of == 0) continue;
      std::string name(grid.event[i] == grid.m() ? "mar, without an event" : keyword(grid.strategy[i]));
      std::ranges::replace(name, '_', ' ');
      if (grid.event[i] < grid.m() && grid.reason[i] != missing_level)
        name += fmt::format(" after '{}'", analysis_.frame->categories(method_.plan.roles.ice_reason).levels[std::size_t(grid.reason[i])]);
      ++strategies[name];
    }
    if (!analysis_.model) {
      own.push_back("No response is missing: nothing is imputed.");
    } else {
      std::vector<std::string> counts;
      for (auto const& [name, count] : strategies) counts.push_back(fmt::format("{} ({})", name, count));
      own.push_back(fmt::format("{} of {} responses are imputed, of {} of {} participants; by strategy: {}. Reference: '{}'.", missing,
                                grid.n() * grid.m(), people, grid.n(), join(counts, ", "), method_.plan.model.reference));
      if (nothing > 0)
        own.push_back(fmt::format("{} participant{} no observed response: the model's mean stands at every visit.", nothing,
                                  nothing == 1 ? " has" : "s have"));
      note_model(own);
    }
    if (!method_.plan.delta.empty()) {
      std::vector<std::string> deltas;
      for (auto const& [group, numbers] : method_.plan.delta) {
        std::vector<std::string> words;
        for (const double number : numbers) words.push_back(shortest(number));
        deltas.push_back(fmt::format("{} {}", group, join(words, ", ")));
      }
      own.push_back(fmt::format("Added to values imputed{}: {}.", method_.plan.shift_all ? "" : " after the event", join(deltas, "; ")));
    }
    own.push_back(fmt::format("Analysis of covariance of the completed response at each visit ({}); LS means at the mean of the "
                              "covariates, over other factors with equal weights of their levels. P values and limits are not "
                              "adjusted for multiplicity.",
                              method_.analysis_text));
    note_errors(own);
    for (std::string const& note : analysis_.ancova->notes()) own.push_back(note + ".");
    std::vector<std::string> lost;
    for (std::size_t q = 0; q < questions_; ++q)
      if (std::isnan(estimates_[place(analysis_.question_visit, q)].estimate)) {
        CompletedAncova::Question const& question = analysis_.ancova->questions()[q];
        lost.push_back(question.difference() ? fmt::format("'{}' less '{}'", levels_[std::size_t(question.level)],
                                                           levels_[std::size_t(question.minus)])
                                             : fmt::format("the mean of '{}'", levels_[std::size_t(question.level)]));
      }
    if (!lost.empty())
      own.push_back(fmt::format("Not estimable, because the participants do not determine them: {}.", join(lost, "; ")));
    answer_.notes.insert(answer_.notes.begin(), own.begin(), own.end());
  }

  void note_model(std::vector<std::string>& own) const {
    ImputationModel const& model = *analysis_.model;
    own.push_back(fmt::format(
        "Imputed from a mixed model for repeated measures of {} responses before intercurrent events: {} likelihood; covariance of "
        "the visits: {}{}. {}.",
        model.data().observations, method_.plan.model.estimation == Estimation::reml ? "restricted maximum" : "maximum",
        model.fitted().report.structure,
        model.data().blocks.size() > 1 ? fmt::format(", one for each '{}'", method_.plan.model.roles.covariance_by) : "",
        draws_values(method_.variance) ? "Values are drawn from their distribution given the observed ones"
                                   : "Values are their means given the observed ones"));
    if (model.attempts().size() > 1) {
      std::vector<std::string> failed;
      for (std::size_t k = 0; k + 1 < model.attempts().size(); ++k)
        failed.push_back(fmt::format("{} ({})", model.attempts()[k].structure, model.attempts()[k].reason));
      own.push_back(fmt::format("Declared fallback of the covariance: {}; then {}.", join(failed, "; "), model.fitted().report.structure));
    }
  }

  void note_errors(std::vector<std::string>& own) const {
    const std::size_t n = analysis_.grid.n();
    if (imputations_) {
      own.push_back(
          method_.variance == ImputationVariance::bayes
              ? fmt::format("{} data sets imputed at parameters from their posterior ({}), seed {}, {} steps before the first and {} "
                            "between; pooled by Rubin's rules, degrees of freedom of Barnard and Rubin.",
                            imputations_->sets, prior(), method_.seed, method_.burn_in, method_.thin)
              : fmt::format("{} data sets imputed at parameters fitted to bootstrap samples within groups, seed {}; pooled by Rubin's "
                            "rules, degrees of freedom of Barnard and Rubin.",
                            imputations_->sets, method_.seed));
      if (imputations_->failed > 0)
        own.push_back(fmt::format("{} further bootstrap samples could not be fitted.", imputations_->failed));
      if (imputations_->acceptance < 1)
        own.push_back(fmt::format("{:.0f}% of the proposals were accepted.", 100 * imputations_->acceptance));
    } else {
      own.push_back(method_.variance == ImputationVariance::jackknife
                        ? fmt::format("Standard errors by jackknife: each of {} participants left out in turn, imputation model and "
                                      "all; normal limits.",
                                      n)
                        : fmt::format("Standard errors from {} bootstrap samples of participants within groups, seed {}, imputation "
                                      "model and all; normal limits.",
                                      replicates_.rows, method_.seed));
      if (method_.anchored)
        own.push_back("Information-anchored: in each repetition values are imputed at random, and what the strategy adds to that in the "
                      "whole trial is added again.");
      if (replicates_.failed > 0)
        own.push_back(fmt::format("{} of {} repetitions could not be analysed{}.", replicates_.failed, replicates_.rows,
                                  double(replicates_.failed) > 0.05 * double(replicates_.rows)
                                      ? ", more than 1 in 20: no standard error is given"
                                      : " and are left out of the standard errors"));
    }
    if (std::any_of(estimates_.begin(), estimates_.end(),
                    [](Uncertain const& one) { return !std::isnan(one.estimate) && std::isnan(one.se); }) &&
        replicates_.failed == 0)
      own.push_back("Too few participants, or too few repetitions with an answer: standard errors are not estimable.");
    if (without_error_) own.push_back("Standard errors of 0: nothing varies, so there are no tests and no limits.");
  }

  std::string prior() const {
    return analysis_.model && !analysis_.model->covariance().unstructured()
               ? "uniform coefficients and correlations, standard deviations 1/s; Metropolis-Hastings"
               : "uniform coefficients, Jeffreys' prior of the covariance; Gibbs";
  }

  ReferenceBasedImputation const& method_;
  ImputedAnalysis& analysis_;
  VisitGrid const& strategies_;
  Answer answer_;
  std::vector<std::string> levels_;
  std::int32_t reference_ = 0;
  std::vector<std::int64_t> members_;
  std::size_t questions_ = 0;
  std::vector<double> direct_;  // answers at conditional means
  Replicates replicates_;
  Resampling kind_ = Resampling::jackknife;
  std::optional<MultipleAnalyses> imputations_;
  std::vector<Uncertain> estimates_;
  std::vector<Finding> lambdas_;
  bool without_error_ = false;
};

}  // namespace

Expected<Answer> answer_imputation(ReferenceBasedImputation const& method, ImputedAnalysis& analysis) {
  return Writer(method, analysis, analysis.grid).write();
}

Expected<Answer> answer_imputation(ReferenceBasedImputation const& method, ImputedAnalysis& analysis, VisitGrid const& strategies) {
  return Writer(method, analysis, strategies).write();
}

}  // namespace equipoise::stats
