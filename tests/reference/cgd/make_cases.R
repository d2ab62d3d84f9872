# Rscript make_cases.R > cases.jsonl, in this folder: the expected values of the CGD trial. See README.md for the tolerances.
library(survival)
source("../case_writer.R")

cgd <- read.csv("cgd.csv", stringsAsFactors = FALSE)
first <- cgd[cgd$enum == 1, ]
arms <- c("placebo", "rIFN-g")
only_first <- list(list(column = "enum", is = "1"))
data <- "cgd/cgd.csv"

# Kaplan-Meier, time to the first infection.
times <- c(90, 180, 270, 360); probs <- c(0.25, 0.5)
for (scale in c("log-log", "log", "plain")) {
  expect <- list()
  for (arm in arms) {
    fit <- survfit(Surv(tstop, status) ~ 1, data = first[first$treat == arm, ], conf.type = scale)
    s <- summary(fit, times = times); q <- quantile(fit, probs)
    for (i in seq_along(times)) {
      at <- list(group = arm, time = times[i])
      expect <- c(expect, list(value("lower", s$lower[i], 1e-9, at), value("upper", s$upper[i], 1e-9, at)))
      if (scale == "log-log")
        expect <- c(expect, list(value("survival", s$surv[i], 1e-10, at), value("se", s$std.err[i], 1e-10, at), value("n_at_risk", s$n.risk[i], 0, at)))
    }
    for (i in seq_along(probs)) {
      at <- list(group = arm, prob = probs[i])
      expect <- c(expect, list(value("quantile", q$quantile[i], 1e-10, at), value("quantile", q$lower[i], 1e-10, c(at, side = "lower")),
                               value("quantile", q$upper[i], 1e-10, c(at, side = "upper"))))
    }
    if (scale == "log-log") expect <- c(expect, list(value("n_events", sum(fit$n.event), 0, list(group = arm))))
  }
  write_case(paste0("cgd.kaplan_meier.", scale), "kaplan_meier", data, list(time = "tstop", event = "status", group = "treat"), expect,
             sprintf("survfit(Surv(tstop, status) ~ 1, conf.type = '%s') by arm, enum == 1; summary(times), quantile(probs)", scale),
             list(interval = scale, level = 0.95, times = as.list(times), probs = as.list(probs)), only_first)
}

# Log-rank, time to the first infection: all participants, and stratified by hospital group.
log_rank <- function(id, fit, roles, call) {
  observed <- if (is.matrix(fit$obs)) rowSums(fit$obs) else fit$obs
  expected <- if (is.matrix(fit$exp)) rowSums(fit$exp) else fit$exp
  expect <- list(value("chi_square", fit$chisq, 1e-9), value("df", 1, 0), value("p", pchisq(fit$chisq, 1, lower.tail = FALSE), 1e-8))
  for (i in 1:2)
    expect <- c(expect, list(value("observed", observed[[i]], 0, list(group = arms[i])), value("expected", expected[[i]], 1e-10, list(group = arms[i]))))
  write_case(id, "log_rank", data, roles, expect, call, NULL, only_first)
}
log_rank("cgd.log_rank", survdiff(Surv(tstop, status) ~ treat, first), list(time = "tstop", event = "status", group = "treat"),
         "survdiff(Surv(tstop, status) ~ treat), enum == 1")
log_rank("cgd.log_rank.strata", survdiff(Surv(tstop, status) ~ treat + strata(hos.cat), first),
         list(time = "tstop", event = "status", group = "treat", strata = list("hos.cat")),
         "survdiff(Surv(tstop, status) ~ treat + strata(hos.cat)), enum == 1")

# Cox models.
exactly <- coxph.control(eps = 1e-13, toler.chol = 1e-15, iter.max = 50)
factor_of <- function(name) {
  if (startsWith(name, "treat")) return(list(list(column = "treat", level = substring(name, 6))))
  if (startsWith(name, "inherit")) return(list(list(column = "inherit", level = substring(name, 8))))
  list(list(column = name))
}
cox <- function(id, fit, roles, formula, levels, ties, call, where = NULL) {
  s <- summary(fit); robust <- !is.null(fit$naive.var); expect <- list()
  for (name in names(coef(fit))) {
    at <- list(term = factor_of(name)); row <- s$coefficients[name, ]; ci <- s$conf.int[name, ]
    naive <- sqrt(diag(if (robust) fit$naive.var else fit$var))[match(name, names(coef(fit)))]
    expect <- c(expect, list(value("estimate", row[["coef"]], 1e-9, at), value("se", naive, 1e-9, at), value("hazard_ratio", row[["exp(coef)"]], 1e-9, at),
                             value("hazard_ratio_lower", ci[["lower .95"]], 1e-8, at), value("hazard_ratio_upper", ci[["upper .95"]], 1e-8, at),
                             value("p", row[["Pr(>|z|)"]], 1e-7, at)))
    if (robust) expect <- c(expect, list(value("robust_se", row[["robust se"]], 1e-9, at)))
  }
  # log likelihoods lose a digit to the sum of some forty terms
  expect <- c(expect, list(value("log_likelihood_null", fit$loglik[1], 1e-10), value("log_likelihood", fit$loglik[2], 1e-10),
                           value("likelihood_ratio_chi_square", 2 * diff(fit$loglik), 1e-8), value("score_chi_square", fit$score, 1e-8),
                           value("wald_chi_square", fit$wald.test[[1]], 1e-8), value("n_observations", fit$n, 0), value("n_events", fit$nevent, 0)))
  if (!is.null(fit$concordance)) expect <- c(expect, list(value("concordance", fit$concordance[["concordance"]], 1e-10)))
  write_case(id, "cox", data, roles, expect, call, list(formula = formula, levels = levels, ties = ties, level = 0.95), where)
}
treat <- list(treat = as.list(arms)); both <- c(treat, list(inherit = list("autosomal", "X-linked")))
first$treat <- factor(first$treat, arms); cgd$treat <- factor(cgd$treat, arms)
first$inherit <- factor(first$inherit, c("autosomal", "X-linked")); cgd$inherit <- factor(cgd$inherit, c("autosomal", "X-linked"))
time_to_first <- list(time = "tstop", event = "status")
intervals <- list(start = "tstart", time = "tstop", event = "status")
for (ties in c("efron", "breslow"))
  cox(paste0("cgd.cox.", ties), coxph(Surv(tstop, status) ~ treat, first, ties = ties, control = exactly), time_to_first, "treat", treat, ties,
      sprintf("coxph(Surv(tstop, status) ~ treat, ties = '%s'), enum == 1, eps 1e-13", ties), only_first)
cox("cgd.cox.covariates", coxph(Surv(tstop, status) ~ treat + inherit + age + steroids, first, control = exactly), time_to_first,
    "treat + inherit + age + steroids", both, "efron", "coxph(Surv(tstop, status) ~ treat + inherit + age + steroids), enum == 1, eps 1e-13", only_first)
cox("cgd.cox.strata", coxph(Surv(tstop, status) ~ treat + strata(hos.cat), first, control = exactly), c(time_to_first, list(strata = list("hos.cat"))),
    "treat", treat, "efron", "coxph(Surv(tstop, status) ~ treat + strata(hos.cat)), enum == 1, eps 1e-13", only_first)
cox("cgd.cox.intervals", coxph(Surv(tstart, tstop, status) ~ treat + age, cgd, control = exactly), intervals, "treat + age", treat, "efron",
    "coxph(Surv(tstart, tstop, status) ~ treat + age), all intervals, eps 1e-13")
cox("cgd.cox.andersen_gill", coxph(Surv(tstart, tstop, status) ~ treat, cgd, cluster = id, control = exactly), c(intervals, list(cluster = "id")), "treat", treat, "efron",
    "coxph(Surv(tstart, tstop, status) ~ treat, cluster = id), all intervals, eps 1e-13")

# At least one infection: 14 of 63 against 30 of 65.
infected <- function(arm) sum(first$status[first$treat == arm]); size <- function(arm) sum(first$treat == arm)
a <- infected("rIFN-g"); c <- infected("placebo"); n1 <- size("rIFN-g"); n2 <- size("placebo")
stopifnot(a == 14, n1 == 63, c == 30, n2 == 65)
rm(c); table_2x2 <- rbind(c(14, 63 - 14), c(30, 65 - 30))
support <- max(0, 44 - 65):min(63, 44)
log_weight <- lchoose(63, support) + lchoose(65, 44 - support)
conditional_mean <- function(theta) { l <- log_weight + theta * support; w <- exp(l - max(l)); sum(w * support) / sum(w) }
odds_ratio <- exp(uniroot(function(theta) conditional_mean(theta) - 14, c(-5, 5), tol = 1e-15)$root)  # fisher.test's own root has four digits
stopifnot(abs(odds_ratio / fisher.test(table_2x2)$estimate - 1) < 1e-3)
for (alternative in c("two.sided", "less", "greater")) {
  expect <- list(value("p", fisher.test(table_2x2, alternative = alternative)$p.value, 1e-10))
  if (alternative == "two.sided") expect <- c(expect, list(value("estimate", odds_ratio, 1e-9)))
  write_case(paste0("cgd.fisher_exact.", alternative), "fisher_exact", data, list(response = "status", group = "treat"), expect,
             sprintf("fisher.test(alternative = '%s'); odds ratio from the conditional likelihood by uniroot(tol = 1e-15), enum == 1", alternative),
             list(difference = list(level = "rIFN-g", minus = "placebo"), alternative = sub(".", "_", alternative, fixed = TRUE)), only_first)
}
for (arm in arms) {
  test <- binom.test(infected(arm), size(arm))
  write_case(paste0("cgd.clopper_pearson.", arm), "clopper_pearson", data, list(response = "status"),
             list(value("estimate", test$estimate[[1]], 1e-14), value("lower", test$conf.int[1], 1e-10), value("upper", test$conf.int[2], 1e-10)),
             "binom.test, enum == 1", list(level = 0.95), c(only_first, list(list(column = "treat", is = arm))))
}
