#include "equipoise/results/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace equipoise::results {
namespace {

constexpr std::string_view minus_sign = "\u2212";

struct Entry {
  std::string_view key, en, zh;
};

constexpr auto quantities = std::to_array<Entry>({
    {"estimate", "Estimate", "估计值"},
    {"se", "Standard error", "标准误"},
    {"robust_se", "Robust standard error", "稳健标准误"},
    {"model_se", "Model-based standard error", "基于模型的标准误"},
    {"t", "t statistic", "t统计量"},
    {"z", "z statistic", "z统计量"},
    {"f", "F statistic", "F统计量"},
    {"chi_square", "Chi-square statistic", "卡方统计量"},
    {"statistic", "Test statistic", "检验统计量"},
    {"df", "Degrees of freedom", "自由度"},
    {"p", "P value", "P值"},
    {"adjusted_p", "Adjusted P value", "校正P值"},
    {"rejected", "Null hypothesis rejected", "拒绝原假设"},
    {"critical_value", "Critical value", "临界值"},
    {"survival", "Probability without the event", "无事件概率"},
    {"n_at_risk", "Number at risk", "风险人数"},
    {"quantile", "Quantile", "分位数"},
    {"cumulative_incidence", "Cumulative incidence", "累积发生率"},
    {"probability", "Probability", "概率"},
    {"share", "Proportion", "比例"},
    {"observed", "Events observed", "观察事件数"},
    {"expected", "Events expected", "期望事件数"},
    {"hazard_ratio", "Hazard ratio", "风险比"},
    {"odds_ratio", "Odds ratio", "比值比"},
    {"risk_ratio", "Risk ratio", "相对危险度"},
    {"rate_ratio", "Rate ratio", "率比"},
    {"rmst_ratio", "Ratio of restricted means", "限制平均生存时间之比"},
    {"difference", "Difference", "差值"},
    {"difference_in_means", "Difference in means", "均值之差"},
    {"ratio_of_geometric_means", "Ratio of geometric means", "几何均值之比"},
    {"risk_difference", "Risk difference", "率差"},
    {"geometric_mean", "Geometric mean", "几何均值"},
    {"back_transformed_mean", "Back-transformed mean", "反变换均值"},
    {"geometric_mean_ratio", "Ratio of geometric means", "几何均值比"},
    {"log_likelihood", "Log likelihood", "对数似然"},
    {"log_likelihood_null", "Log likelihood without effects", "零模型对数似然"},
    {"likelihood_ratio_chi_square", "Likelihood ratio chi-square", "似然比卡方"},
    {"score_chi_square", "Score chi-square", "得分卡方"},
    {"wald_chi_square", "Wald chi-square", "Wald卡方"},
    {"concordance", "Concordance", "一致性指数"},
    {"n", "Participants", "人数"},
    {"n_events", "Events", "事件数"},
    {"n_exact", "Times known exactly", "确切时间数"},
    {"n_right_censored", "Without the event at the last visit", "末次访视仍无事件人数"},
    {"n_subjects", "Participants", "受试者数"},
    {"n_observations", "Observations", "观测数"},
    {"mean", "Mean", "均值"},
    {"sd", "Standard deviation", "标准差"},
    {"median", "Median", "中位数"},
    {"min", "Minimum", "最小值"},
    {"max", "Maximum", "最大值"},
    {"residual_sd", "Residual standard deviation", "残差标准差"},
    {"residual_df", "Residual degrees of freedom", "残差自由度"},
    {"residual_sum_of_squares", "Residual sum of squares", "残差平方和"},
    {"deviance", "Residual deviance", "残差偏差"},
    {"neg2_log_likelihood", "\u22122 log likelihood", "\u22122对数似然"},
    {"aic", "Akaike criterion (AIC)", "赤池信息准则（AIC）"},
    {"aicc", "Akaike criterion for small samples (AICc)", "小样本校正AIC（AICc）"},
    {"bic", "Bayes criterion (BIC)", "贝叶斯信息准则（BIC）"},
    {"scaled_gradient", "Distance from the optimum, in standard errors", "距最优点的距离（以标准误计）"},
    {"iterations", "Iterations", "迭代次数"},
    {"random_covariance", "Covariance of random effects", "随机效应协方差"},
    {"residual_variance", "Residual variance", "残差方差"},
    {"slope", "Slope", "斜率"},
    {"covariance", "Covariance", "协方差"},
    {"working_correlation", "Working correlation", "作业相关"},
    {"dispersion", "Dispersion", "离散参数"},
    {"contrast_coefficient", "Contrast coefficient", "对比系数"},
    {"df_large_sample", "Large-sample degrees of freedom", "大样本自由度"},
    {"n_reallocations", "Re-allocations", "再分配次数"},
    {"monte_carlo_se", "Monte Carlo standard error of P", "P值的蒙特卡罗标准误"},
    {"lambda", "Share of variance due to missing values", "缺失所致方差占比"},
    {"n_imputed", "Imputed values", "插补值数"},
    {"tipping_point", "Tipping point (shift of imputed values)", "临界点（插补值的偏移）"},
});

// What a method's "estimate" is an estimate of.
constexpr auto estimates = std::to_array<Entry>({
    {"fisher_exact", "Odds ratio (conditional)", "条件优势比"},
    {"clopper_pearson", "Share", "比例"},
    {"wilson", "Share", "比例"},
    {"newcombe", "Risk difference", "率差"},
    {"miettinen_nurminen", "Risk difference, or ratio", "率差或比值"},
    {"risk_difference", "Risk difference", "率差"},
    {"risk_ratio", "Risk ratio", "相对危险度"},
    {"odds_ratio", "Odds ratio", "比值比"},
    {"mcnemar", "Odds of a change", "变化的优势"},
    {"mantel_haenszel_odds_ratio", "Common odds ratio", "合并比值比"},
    {"mantel_haenszel_risk_difference", "Common risk difference", "合并率差"},
    {"mantel_haenszel_risk_ratio", "Common risk ratio", "合并相对危险度"},
    {"t_test", "Mean, or difference of means", "均值或均值差"},
    {"ancova", "LS mean, difference or coefficient", "最小二乘均值、差值或系数"},
    {"mmrm", "LS mean, difference or coefficient", "最小二乘均值、差值或系数"},
    {"linear_mixed", "LS mean, difference or coefficient", "最小二乘均值、差值或系数"},
    {"gls", "Coefficient", "系数"},
    {"reference_based_imputation", "LS mean, or difference", "最小二乘均值或差值"},
    {"locf", "LS mean, difference or coefficient", "最小二乘均值、差值或系数"},
    {"dunnett", "Difference of LS means", "最小二乘均值差"},
    {"logistic", "Log odds ratio", "对数优势比"},
    {"gee", "LS mean, difference or coefficient, on the link scale", "连接尺度上的最小二乘均值、差值或系数"},
    {"rubin", "Pooled estimate", "合并估计"},
    {"hodges_lehmann", "Shift (median of differences)", "位移（差值的中位数）"},
    {"permutation_test", "Difference of means", "均值差"},
    {"rerandomisation", "Difference between arms", "组间差值"},
    {"cox", "Log hazard ratio", "对数风险比"},
    {"rmst", "Restricted mean", "限制平均生存时间"},
    {"rmst_difference", "Difference of restricted means", "限制平均生存时间之差"},
});

// Quantities that a method gives another meaning.
struct MethodEntry {
  std::string_view method;
  Entry entry;
};
constexpr auto of_methods = std::to_array<MethodEntry>({
    {"reverse_kaplan_meier", {"survival", "Probability of longer follow-up", "仍在随访的概率"}},
    {"reverse_kaplan_meier", {"n_events", "Censored", "删失数"}},
    {"fine_gray", "Log subdistribution hazard ratio", "对数次分布风险比"},
    {"grouped_hazard", "Log hazard ratio", "对数风险比"},
});

constexpr auto methods = std::to_array<Entry>({
    {"kaplan_meier", "Kaplan-Meier estimate", "Kaplan-Meier估计"},
    {"reverse_kaplan_meier", "Reverse Kaplan-Meier estimate of follow-up", "随访时间的反向Kaplan-Meier估计"},
    {"rmst", "Restricted mean survival time", "限制平均生存时间"},
    {"rmst_difference", "Difference of restricted means", "限制平均生存时间之差"},
    {"weighted_log_rank", "Weighted log-rank test", "加权对数秩检验"},
    {"log_rank", "Log-rank test", "对数秩检验"},
    {"fleming_harrington", "Fleming-Harrington test", "Fleming-Harrington检验"},
    {"log_rank_trend", "Log-rank test for trend", "对数秩趋势检验"},
    {"max_combo", "MaxCombo test", "MaxCombo检验"},
    {"interval_log_rank", "Log-rank test for interval-censored times", "区间删失对数秩检验"},
    {"cox", "Cox proportional hazards model", "Cox比例风险模型"},
    {"proportional_hazards_test", "Test of proportional hazards", "比例风险检验"},
    {"turnbull", "Turnbull estimate (interval-censored)", "Turnbull估计（区间删失）"},
    {"grouped_hazard", "Proportional hazards between visits", "分组时间比例风险模型"},
    {"aalen_johansen", "Cumulative incidence (Aalen-Johansen)", "累积发生率（Aalen-Johansen）"},
    {"gray_test", "Gray's test", "Gray检验"},
    {"fine_gray", "Fine-Gray model", "Fine-Gray模型"},
    {"clopper_pearson", "Clopper-Pearson interval", "Clopper-Pearson区间"},
    {"wilson", "Wilson interval", "Wilson区间"},
    {"miettinen_nurminen", "Miettinen-Nurminen interval", "Miettinen-Nurminen区间"},
    {"fisher_exact", "Fisher's exact test", "Fisher精确检验"},
    {"newcombe", "Newcombe interval", "Newcombe区间"},
    {"risk_difference", "Risk difference", "率差"},
    {"risk_ratio", "Risk ratio", "相对危险度"},
    {"odds_ratio", "Odds ratio", "比值比"},
    {"pearson_chi_square", "Pearson's chi-square test", "Pearson卡方检验"},
    {"mcnemar", "McNemar's test", "McNemar检验"},
    {"cmh", "Cochran-Mantel-Haenszel test", "CMH检验"},
    {"mantel_haenszel_odds_ratio", "Common odds ratio (Mantel-Haenszel)", "Mantel-Haenszel合并比值比"},
    {"mantel_haenszel_risk_difference", "Common risk difference (Mantel-Haenszel)", "Mantel-Haenszel合并率差"},
    {"mantel_haenszel_risk_ratio", "Common risk ratio (Mantel-Haenszel)", "Mantel-Haenszel合并相对危险度"},
    {"breslow_day", "Breslow-Day test of homogeneous odds ratios", "Breslow-Day齐性检验"},
    {"cochran_armitage_trend", "Cochran-Armitage trend test", "Cochran-Armitage趋势检验"},
    {"logistic", "Logistic regression", "logistic回归"},
    {"t_test", "t test", "t检验"},
    {"wilcoxon_rank_sum", "Wilcoxon rank-sum test", "Wilcoxon秩和检验"},
    {"hodges_lehmann", "Hodges-Lehmann shift", "Hodges-Lehmann位移估计"},
    {"van_elteren", "Van Elteren's stratified rank-sum test", "van Elteren分层秩和检验"},
    {"wilcoxon_signed_rank", "Wilcoxon signed-rank test", "Wilcoxon符号秩检验"},
    {"sign_test", "Sign test", "符号检验"},
    {"kruskal_wallis", "Kruskal-Wallis test", "Kruskal-Wallis检验"},
    {"jonckheere_terpstra", "Jonckheere-Terpstra test", "Jonckheere-Terpstra检验"},
    {"one_way_anova", "One-way analysis of variance", "单因素方差分析"},
    {"descriptive", "Descriptive statistics", "描述性统计"},
    {"permutation_test", "Permutation test", "置换检验"},
    {"rerandomisation", "Re-randomisation test", "重随机化检验"},
    {"ancova", "Analysis of covariance", "协方差分析"},
    {"reference_based_imputation", "Reference-based imputation", "基于参照组的插补"},
    {"locf", "Last observation carried forward", "末次观测值结转"},
    {"dunnett", "Dunnett comparisons with control", "与对照的Dunnett比较"},
    {"mmrm", "Mixed model for repeated measures", "重复测量混合模型"},
    {"linear_mixed", "Linear mixed model", "线性混合模型"},
    {"gls", "Generalised least squares", "广义最小二乘"},
    {"gee", "Generalised estimating equations", "广义估计方程"},
    {"rubin", "Rubin's rules", "Rubin合并规则"},
    {"none", "tests without adjustment", "不校正的检验"},
    {"bonferroni", "Bonferroni procedure", "Bonferroni法"},
    {"holm", "Holm procedure", "Holm法"},
    {"hochberg", "Hochberg procedure", "Hochberg法"},
    {"hommel", "Hommel procedure", "Hommel法"},
    {"benjamini_hochberg", "Benjamini-Hochberg procedure", "Benjamini-Hochberg法"},
    {"graphical", "Bonferroni-based graphical procedure", "基于Bonferroni的图形法"},
});

constexpr auto units = std::to_array<Entry>({
    {"1", "", ""},
    {"a", "years", "岁"},
    {"mo", "months", "月"},
    {"wk", "weeks", "周"},
    {"d", "days", "天"},
    {"h", "hours", "小时"},
    {"/mm3", "/mm\u00b3", "/mm\u00b3"},
    {"/uL", "/\u00b5L", "/\u00b5L"},
    {"10*6/L", "10\u2076/L", "10\u2076/L"},
    {"10*9/L", "10\u2079/L", "10\u2079/L"},
    {"m2", "m\u00b2", "m\u00b2"},
    {"kg/m2", "kg/m\u00b2", "kg/m\u00b2"},
    {"ug/m2", "\u00b5g/m\u00b2", "\u00b5g/m\u00b2"},
    {"mm[Hg]", "mmHg", "mmHg"},
    {"Cel", "\u00b0C", "\u00b0C"},
});

template <std::size_t N>
Entry const* find(std::array<Entry, N> const& table, std::string_view key) {
  const auto found = std::find_if(table.begin(), table.end(), [&](Entry const& e) { return e.key == key; });
  return found == table.end() ? nullptr : &*found;
}

std::string in_language(Entry const& entry, std::string_view language) {
  return std::string(language.starts_with("zh") ? entry.zh : entry.en);
}

bool is_ratio(std::string_view quantity) { return quantity.ends_with("_ratio"); }

bool is_probability(std::string_view quantity) {
  return quantity == "survival" || quantity == "cumulative_incidence" || quantity == "probability" || quantity == "share";
}

bool is_count(std::string_view quantity) {
  return quantity == "n" || quantity.starts_with("n_") || quantity == "observed" || quantity == "df" ||
         quantity == "residual_df" || quantity == "iterations";
}

/// Compared by differences, of which a few tenths matter: SAS and R print them to one or two decimals.
bool is_log_likelihood(std::string_view quantity) {
  return quantity.ends_with("log_likelihood") || quantity.starts_with("aic") || quantity == "bic";
}

std::string superscript(int number) {
  static constexpr std::array<std::string_view, 10> digits = {"\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074",
                                                              "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
  std::string text;
  for (const char c : std::to_string(number))
    text += c == '-' ? std::string("\u207b") : std::string(digits[std::size_t(c - '0')]);
  return text;
}

/// Decimal rounding of the number as it is written with 15 significant digits, halves up: what a person does with 42.65 (stored
/// as 42.6499999999999986) or with 104 of 128 (81.25%). The C library's rounding would give 42.6 and 81.2.
std::string rounded_half_up(double value, int decimals) {
  const std::string written = fmt::format("{:.14e}", value);  // d.dddddddddddddde+xx
  const int exponent = std::stoi(written.substr(written.find('e') + 1));
  std::string digits = written.substr(0, 1) + written.substr(2, 14);
  const int kept = exponent + 1 + decimals;  // digits that stay
  if (kept < 0) return fmt::format("{:.{}f}", 0.0, decimals);
  bool carry = kept < int(digits.size()) && digits[std::size_t(kept)] >= '5';
  digits.resize(std::size_t(kept), '0');
  for (std::size_t i = digits.size(); carry && i-- > 0;) {
    carry = digits[i] == '9';
    digits[i] = carry ? '0' : char(digits[i] + 1);
  }
  if (carry) digits.insert(digits.begin(), '1');
  while (int(digits.size()) <= decimals) digits.insert(digits.begin(), '0');
  const std::size_t whole = digits.size() - std::size_t(decimals);
  return digits.substr(0, whole) + (decimals ? std::string(".") + digits.substr(whole) : "");
}

}  // namespace

std::string fixed(double value, int decimals) {
  if (std::isnan(value)) return std::string(not_estimable);
  if (std::isinf(value)) return value > 0 ? "\u221e" : std::string(minus_sign) + "\u221e";
  const std::string digits = rounded_half_up(std::fabs(value), std::clamp(decimals, 0, 15));
  const bool zero = digits.find_first_not_of("0.") == std::string::npos;
  return value < 0 && !zero ? std::string(minus_sign) + digits : digits;
}

std::string significant(double value, int digits) {
  if (!std::isfinite(value) || value == 0) return fixed(value, std::max(0, digits - 1));
  const double size = std::fabs(value);
  if (size < 1e-6 || size >= 1e15) {
    std::string text = fmt::format("{:.{}e}", size, std::max(0, digits - 1));
    return value < 0 ? std::string(minus_sign) + text : text;
  }
  // The exponent after rounding: 0.9996 to three digits is 1.00, not 1.000.
  const std::string rounded = fmt::format("{:.{}e}", size, std::max(0, digits - 1));
  const int exponent = std::stoi(rounded.substr(rounded.find('e') + 1));
  return fixed(value, std::max(0, digits - 1 - exponent));
}

std::string percent(double share, int decimals) {
  return std::isnan(share) ? std::string(not_estimable) : fixed(100 * share, decimals) + "%";
}

std::string p_value(double p, double alpha) {
  if (std::isnan(p)) return std::string(not_estimable);
  if (p < 0.0001) return "< 0.0001";
  if (p > 0.9995) return "> 0.999";
  int decimals = p < 0.01 ? 4 : 3;
  while (decimals < 6 && p != alpha && fixed(p, decimals) == fixed(alpha, decimals)) ++decimals;
  return fixed(p, decimals);
}

std::string p_statement(double p, double alpha) {
  const std::string text = p_value(p, alpha);
  return text.starts_with('<') || text.starts_with('>') ? std::string("P ") + text : std::string("P = ") + text;
}

int decimals_for(double value, std::optional<double> standard_error) {
  const auto digits_of = [](double size, int wanted) {
    return std::clamp(wanted - 1 - static_cast<int>(std::floor(std::log10(size))), 0, 8);
  };
  if (standard_error && std::isfinite(*standard_error) && *standard_error > 0) return digits_of(*standard_error, 2);
  if (std::isfinite(value) && value != 0) return digits_of(std::fabs(value), 3);
  return 2;
}

std::string interval(std::string const& lower, std::string const& upper, std::string_view language) {
  return lower + (language.starts_with("zh") ? " 至 " : " to ") + upper;
}

namespace {

/// Decimals of a number in the unit of values recorded with so many, beyond those; nothing of a number in another unit.
std::optional<int> more_decimals(Finding const& f) {
  constexpr std::array<std::string_view, 6> middle{"estimate", "difference", "mean", "lsmean", "median", "quantile"};
  if (f.scale != Scale::identity || f.at.contains("term")) return {};
  if (std::ranges::find(middle, f.quantity) != middle.end()) return 1;
  if (f.quantity == "sd" || f.quantity == "residual_sd") return 2;
  if (f.quantity == "min" || f.quantity == "max") return 0;
  return {};
}

}  // namespace

Printed printed(Finding const& f, std::string_view language, double alpha, std::optional<int> recorded) {
  const std::optional<int> more = recorded ? more_decimals(f) : std::nullopt;
  const auto show = [&](double value) {
    if (std::isnan(value)) return std::string(not_estimable);
    if (more) return fixed(value, *recorded + *more);
    if (f.quantity == "p" || f.quantity == "adjusted_p") return p_value(value, alpha);
    if (is_probability(f.quantity)) return percent(value);
    if (is_ratio(f.quantity)) return significant(value, 3);
    if (is_count(f.quantity) && value == std::round(value)) return fixed(value, 0);
    if (f.quantity == "quantile") return value == std::round(value) ? fixed(value, 0) : fixed(value, 1);
    if (f.quantity == "expected") return fixed(value, 1);
    if (is_log_likelihood(f.quantity)) return fixed(value, 2);
    if (f.quantity == "scaled_gradient") return significant(value, 2);
    if (f.quantity == "chi_square" || f.quantity.ends_with("_chi_square") || f.quantity == "z" || f.quantity == "t" ||
        f.quantity == "f")
      return fixed(value, 2);
    if (f.quantity == "estimate" || f.quantity == "difference" || f.quantity == "mean" || f.quantity == "lsmean")
      return fixed(value, decimals_for(f.value, f.se));
    return significant(value, 4);
  };
  Printed out{.value = show(f.value), .se = {}, .interval = {}, .df = {}, .p = {}, .ne = std::isnan(f.value)};
  if (f.se) {
    if (more) out.se = fixed(*f.se, *recorded + 2);
    else out.se = is_probability(f.quantity) ? percent(*f.se) : significant(*f.se, 3);
  }
  if (f.lower && f.upper) {
    out.lower = show(*f.lower), out.upper = show(*f.upper);
    out.interval = interval(out.lower, out.upper, language);
  }
  if (f.df) out.df = *f.df == std::round(*f.df) ? fixed(*f.df, 0) : fixed(*f.df, 1);
  if (f.p) out.p = p_value(*f.p, alpha);
  for (auto const& part : {f.se, f.lower, f.upper, f.df, f.p}) out.ne = out.ne || (part && std::isnan(*part));
  return out;
}

std::string_view scale_word(Scale scale) {
  switch (scale) {
    case Scale::identity:
      return "identity";
    case Scale::log:
      return "log";
    case Scale::log_log:
      return "log-log";
    case Scale::logit:
      return "logit";
    case Scale::arcsin:
      return "arcsin";
    case Scale::exact:
      return "exact";
  }
  return "identity";
}

std::string quantity_label(std::string_view quantity, std::string_view language, std::string_view method) {
  if (quantity == "estimate")
    if (const Entry* entry = find(estimates, method)) return in_language(*entry, language);
  for (MethodEntry const& own : of_methods)
    if (own.method == method && own.entry.key == quantity) return in_language(own.entry, language);
  if (const Entry* entry = find(quantities, quantity)) return in_language(*entry, language);
  return in_plain_words(quantity);
}

std::string method_label(std::string_view keyword, std::string_view language, std::string_view fallback) {
  if (const Entry* entry = find(methods, keyword)) return in_language(*entry, language);
  return fallback.empty() ? in_plain_words(keyword) : std::string(fallback);
}

std::string unit_label(std::string_view ucum, std::string_view language) {
  const Entry* entry = find(units, ucum);
  return entry ? in_language(*entry, language) : std::string(ucum);
}

std::string amount_label(double amount, std::string_view ucum, std::string_view language) {
  std::string number;
  if (std::isfinite(amount) && std::fabs(amount) >= 1e5) {
    // Powers of a thousand, with a coefficient from 0.1 up: 0.5 × 10⁶ stands beside 1.5 × 10⁶.
    const int power = 3 * static_cast<int>(std::floor((std::log10(std::fabs(amount)) + 1 + 1e-12) / 3));
    std::string coefficient = fmt::format("{:.6g}", std::fabs(amount) / std::pow(10.0, power));
    number = (amount < 0 ? std::string(minus_sign) : std::string()) + coefficient + " \u00d7 10" + superscript(power);
  } else {
    number = std::isfinite(amount) ? fmt::format("{}{:.6g}", amount < 0 ? minus_sign : "", std::fabs(amount)) : fixed(amount, 0);
  }
  const std::string unit = unit_label(ucum, language);
  return unit.empty() ? number : number + (unit.starts_with('/') || unit.starts_with('%') ? "" : " ") + unit;
}

std::string in_plain_words(std::string_view keyword) {
  std::string words(keyword);
  std::replace(words.begin(), words.end(), '_', ' ');
  if (!words.empty() && words.front() >= 'a' && words.front() <= 'z') words.front() = char(words.front() - 'a' + 'A');
  return words;
}

}  // namespace equipoise::results
