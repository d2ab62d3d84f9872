# Rscript make_cases.R > cases.jsonl, in this folder: follow-up, restricted means, Fleming-Harrington, trend, MaxCombo and proportional
# hazards on the trials of the folders beside it. See README.md for the tolerances.
library(survival)
source("../case_writer.R")

typed <- function(name, numbers) {
  table <- read.csv(sprintf("../%s/%s.csv", name, name), colClasses = "character")
  for (column in numbers) table[[column]] <- as.numeric(table[[column]])
  table
}
lung <- typed("lung", c("time", "event", "age", "ph_ecog")); veteran <- typed("veteran", c("time", "event", "karno"))
colon <- typed("colon", c("time", "event")); colon <- colon[colon$etype == "2", ]
ovarian <- typed("ovarian", c("time", "event", "age", "rx"))
cgd <- typed("cgd", c("tstart", "tstop", "status", "age"))
trials <- list(
  list(name = "lung", data = lung, group = "sex", tau = c(365, 730), where = NULL),
  list(name = "veteran", data = veteran, group = "trt", tau = c(200, 1200), where = NULL),  # 1200: beyond the last time of both
  list(name = "colon", data = colon, group = "rx", tau = 2500, where = list(list(column = "etype", is = "2"))))
surv <- list(time = "time", event = "event")
z <- qnorm(0.975)
two_sided <- function(z) 2 * pnorm(-abs(z))

# Follow-up: survfit with event and censoring exchanged.
for (trial in trials) {
  expect <- list()
  for (group in sort(unique(trial$data[[trial$group]]))) {
    rows <- trial$data[trial$data[[trial$group]] == group, ]
    fit <- survfit(Surv(time, 1 - event) ~ 1, rows, conf.type = "log-log"); s <- summary(fit, times = 200); q <- quantile(fit, 0.5)
    at <- list(group = group, time = 200)
    expect <- c(expect, list(value("survival", s$surv, 1e-10, at), value("se", s$std.err, 1e-10, at), value("n_at_risk", s$n.risk, 0, at),
                             value("n_events", sum(fit$n.event), 0, list(group = group)),
                             value("quantile", q$quantile, 1e-10, list(group = group, prob = 0.5)),
                             value("quantile", q$lower, 1e-10, list(group = group, prob = 0.5, side = "lower"))))
  }
  write_case(paste0(trial$name, ".reverse_kaplan_meier"), "reverse_kaplan_meier", sprintf("%s/%s.csv", trial$name, trial$name),
             c(surv, list(group = trial$group)), expect, "survfit(Surv(time, 1 - event) ~ 1, conf.type = 'log-log') by group",
             list(interval = "log-log", times = list(200), probs = list(0.5)), trial$where)
}

# Restricted means and their difference.
mean_to <- function(rows, tau) unname(summary(survfit(Surv(time, event) ~ 1, rows), rmean = tau)$table[c("rmean", "se(rmean)")])
for (trial in trials) for (tau in trial$tau) {
  groups <- sort(unique(trial$data[[trial$group]])); data <- sprintf("%s/%s.csv", trial$name, trial$name)
  roles <- c(surv, list(group = trial$group))
  means <- lapply(groups, function(g) mean_to(trial$data[trial$data[[trial$group]] == g, ], tau))
  expect <- list()
  for (i in seq_along(groups)) {
    m <- means[[i]]; at <- list(group = groups[i])
    expect <- c(expect, list(value("estimate", m[1], 1e-12, at), value("se", m[2], 1e-11, at), value("lower", m[1] - z * m[2], 1e-11, at),
                             value("upper", m[1] + z * m[2], 1e-11, at)))
  }
  write_case(sprintf("%s.rmst.%d", trial$name, tau), "rmst", data, roles, expect, sprintf("summary(survfit, rmean = %d)$table by group", tau),
             list(tau = tau), trial$where)
  a <- means[[2]]; b <- means[[1]]
  difference <- a[1] - b[1]; se <- sqrt(a[2]^2 + b[2]^2)
  log_ratio <- log(a[1] / b[1]); log_se <- sqrt((a[2] / a[1])^2 + (b[2] / b[1])^2)
  write_case(sprintf("%s.rmst_difference.%d", trial$name, tau), "rmst_difference", data, roles,
             list(value("estimate", difference, 1e-10), value("se", se, 1e-11), value("lower", difference - z * se, 1e-10),
                  value("upper", difference + z * se, 1e-10), value("p", two_sided(difference / se), 1e-9),
                  value("rmst_ratio", a[1] / b[1], 1e-12), value("rmst_ratio_lower", exp(log_ratio - z * log_se), 1e-11),
                  value("rmst_ratio_upper", exp(log_ratio + z * log_se), 1e-11)),
             sprintf("summary(survfit, rmean = %d)$table of both groups; delta method for the log of the ratio", tau),
             list(tau = tau, difference = list(level = groups[2], minus = groups[1])), trial$where)
}

# Weighted log-rank sums of several weights at once, within strata: one table an event time, filled by counting people. `weight`
# sees N, D and S(t-) of the stratum and gives one column a component.
weighted <- function(data, group, weight, strata = rep("", nrow(data))) {
  groups <- sort(unique(data[[group]])); k <- length(groups); u <- v <- NULL
  for (s in sort(unique(strata))) {
    d <- data[strata == s, ]; at <- sort(unique(d$time[d$event == 1]))
    n <- matrix(outer(at, groups, Vectorize(function(t, g) sum(d$time >= t & d[[group]] == g))), ncol = k)
    e <- matrix(outer(at, groups, Vectorize(function(t, g) sum(d$time == t & d$event == 1 & d[[group]] == g))), ncol = k)
    N <- rowSums(n); D <- rowSums(e); before <- c(1, cumprod(1 - D / N))[seq_along(at)]
    w <- as.matrix(weight(N, D, before)); m <- ncol(w)
    if (is.null(u)) { u <- matrix(0, m, k); v <- array(0, c(m, m, k, k)) }
    u <- u + t(w) %*% (e - D * n / N)
    for (i in seq_along(at)) if (N[i] > 1) {
      share <- n[i, ] / N[i]; table <- D[i] * (N[i] - D[i]) / (N[i] - 1) * (diag(share) - outer(share, share))
      for (a in 1:m) for (b in 1:m) v[a, b, , ] <- v[a, b, , ] + w[i, a] * w[i, b] * table
    }
  }
  list(groups = groups, u = u, v = v)
}
fh <- function(pairs) function(N, D, S) matrix(unlist(lapply(pairs, function(p) S^p[1] * (1 - S)^p[2])), length(S))
quadratic <- function(u, v) { keep <- -length(u); drop(u[keep] %*% solve(v[keep, keep, drop = FALSE], u[keep])) }

strata_of <- list(lung = "ph_ecog", veteran = "celltype", colon = "extent")
for (trial in trials) for (stratified in c(FALSE, TRUE)) {
  data <- sprintf("%s/%s.csv", trial$name, trial$name); d <- trial$data; by <- strata_of[[trial$name]]
  if (stratified) d <- d[!is.na(d[[by]]) & d[[by]] != "", ]
  strata <- if (stratified) as.character(d[[by]]) else rep("", nrow(d))
  roles <- c(surv, list(group = trial$group)); suffix <- if (stratified) ".strata" else ""
  if (stratified) roles$strata <- list(by)
  formula <- as.formula(paste("Surv(time, event) ~", trial$group, if (stratified) sprintf("+ strata(%s)", by)))
  for (pair in list(c(0, 0), c(1, 0), c(0, 1), c(1, 1), c(0.5, 2))) {
    t <- weighted(d, trial$group, fh(list(pair)), strata); u <- t$u[1, ]; v <- matrix(t$v[1, 1, , ], length(u)); x <- quadratic(u, v); df <- length(u) - 1
    if (pair[2] == 0) stopifnot(abs(survdiff(formula, d, rho = pair[1])$chisq / x - 1) < 1e-10)  # somebody else's
    expect <- list(value("chi_square", x, 1e-11), value("df", df, 0), value("p", pchisq(x, df, lower.tail = FALSE), 1e-10))
    options <- list(rho = pair[1], gamma = pair[2])
    if (df == 1) { expect <- c(expect, list(value("z", u[2] / sqrt(v[2, 2]), 1e-11))); options$difference <- list(level = t$groups[2], minus = t$groups[1]) }
    write_case(sprintf("%s.fleming_harrington.%g.%g%s", trial$name, pair[1], pair[2], suffix), "fleming_harrington", data, roles, expect,
               if (pair[2] == 0) "formulas of make_cases.R, checked against survdiff(rho)" else "formulas of make_cases.R", options, trial$where)
  }
  # Rank weights within strata; the others of weighted_log_rank are in the folder of that name.
  if (stratified) for (weight in c("gehan_breslow", "tarone_ware", "modified_peto_peto")) {
    w <- list(gehan_breslow = function(N, D, S) N, tarone_ware = function(N, D, S) sqrt(N), modified_peto_peto = function(N, D, S) cumprod(1 - D / (N + 1)))[[weight]]
    t <- weighted(d, trial$group, w, strata); x <- quadratic(t$u[1, ], matrix(t$v[1, 1, , ], length(t$groups))); df <- length(t$groups) - 1
    write_case(sprintf("%s.weighted_log_rank.%s.strata", trial$name, weight), "weighted_log_rank", data, roles,
               list(value("chi_square", x, 1e-11), value("df", df, 0), value("p", pchisq(x, df, lower.tail = FALSE), 1e-10)),
               "formulas of make_cases.R", list(weight = weight), trial$where)
  }
  # Trend, with survdiff's own sums.
  fit <- survdiff(formula, d); oe <- if (is.matrix(fit$obs)) rowSums(fit$obs - fit$exp) else fit$obs - fit$exp
  groups <- sort(unique(d[[trial$group]])); scores <- if (trial$name == "colon") c(Lev = 1, `Lev+5FU` = 3, Obs = 0)[groups] else c(1, 4)
  zt <- sum(scores * oe) / sqrt(drop(scores %*% fit$var %*% scores))
  write_case(sprintf("%s.log_rank_trend%s", trial$name, suffix), "log_rank_trend", data, roles,
             list(value("chi_square", zt^2, 1e-10), value("z", zt, 1e-10), value("df", 1, 0), value("p", two_sided(zt), 1e-9)),
             "w'(O - E) / sqrt(w'Vw) with survdiff's sums", list(scores = setNames(as.list(unname(scores)), groups)), trial$where)
  # MaxCombo. The four default components span 1, S, S(1 - S): rank 3, and what is outside of the box is a sum of parts above 0:
  # P(|x| >= c) for the first component, then the conditional probabilities of the others, by integrate() at two levels.
  pairs <- list(c(0, 0), c(1, 0), c(0, 1), c(1, 1)); two <- groups[1:2]; keep <- d[[trial$group]] %in% two
  t <- weighted(d[keep, ], trial$group, fh(pairs), strata[keep]); v <- t$v[, , 2, 2]; zs <- t$u[, 2] / sqrt(diag(v)); top <- max(abs(zs)); r <- cov2cor(v)
  root <- suppressWarnings(chol(r, pivot = TRUE, tol = 1e-10)); stopifnot(attr(root, "rank") == 3)
  L <- t(root[1:3, ])[order(attr(root, "pivot")), ]; L[abs(L) < 1e-9] <- 0
  last <- apply(L, 1, function(row) max(which(row != 0)))
  outside <- function(k, offset) {
    a <- (-top - offset)[last == k] / L[last == k, k]; b <- (top - offset)[last == k] / L[last == k, k]
    from <- max(pmin(a, b)); to <- min(pmax(a, b))
    if (from >= to) return(1)
    tails <- pnorm(from) + pnorm(to, lower.tail = FALSE)
    if (k == 3) return(tails)
    f <- function(x) vapply(x, function(x1) dnorm(x1) * outside(k + 1, offset + L[, k] * x1), 0)
    cuts <- seq(from, to, length.out = 41)  # the integrand has corners: small steps, each to nearly the last digit
    tails + sum(vapply(1:40, function(i) integrate(f, cuts[i], cuts[i + 1], rel.tol = if (k == 1) 1e-9 else 1e-11, abs.tol = 1e-13)$value, 0))
  }
  expect <- list(value("statistic", top, 1e-11), value("p", outside(1, rep(0, 4)), 1e-7))
  for (i in 1:4) expect <- c(expect, list(value("z", zs[i], 1e-11, list(index = i))))
  write_case(sprintf("%s.max_combo%s", trial$name, suffix), "max_combo", data, roles, expect, "formulas of make_cases.R; integrate() nested twice",
             list(weights = lapply(pairs, as.list), difference = list(level = two[2], minus = two[1])), trial$where)
}

# Proportional hazards: the fit to the optimum, then cox.zph.
exactly <- coxph.control(eps = 1e-13, toler.chol = 1e-15, iter.max = 50)
hazards <- function(id, data, fit, terms, effects, roles, options, call) for (transform in c("km", "identity", "rank", "log")) {
  each <- cox.zph(fit, transform = transform, terms = FALSE)$table; joint <- cox.zph(fit, transform = transform)$table; expect <- list()
  add <- function(row, at) list(value("chi_square", row[["chisq"]], 1e-7, at), value("df", row[["df"]], 0, at), value("p", row[["p"]], 1e-7, at))
  for (i in seq_along(terms)) expect <- c(expect, add(each[i, ], list(term = terms[[i]])))
  for (name in names(effects)) expect <- c(expect, add(joint[name, ], list(effect = list(name))))
  expect <- c(expect, add(each["GLOBAL", ], list(global = TRUE)))
  write_case(sprintf("%s.%s", id, transform), "proportional_hazards_test", data, roles, expect, sprintf("%s, eps 1e-13; cox.zph(transform = '%s')", call, transform),
             c(options, list(transform = transform)))
}
number <- function(name) list(list(column = name)); level <- function(name, level) list(list(column = name, level = level))
for (ties in c("efron", "breslow"))
  hazards(paste0("lung.proportional_hazards_test.", ties), "lung/lung.csv", coxph(Surv(time, event) ~ age + ph_ecog, lung, ties = ties, control = exactly),
          list(number("age"), number("ph_ecog")), list(), surv, list(formula = "age + ph_ecog", ties = ties), sprintf("coxph(Surv(time, event) ~ age + ph_ecog, ties = '%s')", ties))
cells <- c("adeno", "large", "smallcell", "squamous"); veteran$celltype <- factor(veteran$celltype, cells)
hazards("veteran.proportional_hazards_test", "veteran/veteran.csv", coxph(Surv(time, event) ~ karno + celltype, veteran, control = exactly),
        c(list(number("karno")), lapply(cells[-1], level, name = "celltype")), list(celltype = 1), surv,
        list(formula = "karno + celltype", levels = list(celltype = as.list(cells)), ties = "efron"), "coxph(Surv(time, event) ~ karno + celltype)")
hazards("veteran.proportional_hazards_test.strata", "veteran/veteran.csv", coxph(Surv(time, event) ~ karno + trt + strata(celltype), veteran, control = exactly),
        list(number("karno"), level("trt", "2")), list(), c(surv, list(strata = list("celltype"))),
        list(formula = "karno + trt", levels = list(trt = list("1", "2")), ties = "efron"), "coxph(Surv(time, event) ~ karno + trt + strata(celltype))")
cgd$treat <- factor(cgd$treat, c("placebo", "rIFN-g"))
hazards("cgd.proportional_hazards_test.intervals", "cgd/cgd.csv", coxph(Surv(tstart, tstop, status) ~ treat + age, cgd, control = exactly),
        list(level("treat", "rIFN-g"), number("age")), list(), list(start = "tstart", time = "tstop", event = "status"),
        list(formula = "treat + age", levels = list(treat = list("placebo", "rIFN-g")), ties = "efron"), "coxph(Surv(tstart, tstop, status) ~ treat + age)")
hazards("ovarian.proportional_hazards_test", "ovarian/ovarian.csv", coxph(Surv(time, event) ~ age + rx, ovarian, control = exactly),
        list(number("age"), number("rx")), list(), surv, list(formula = "age + rx", ties = "efron"), "coxph(Surv(time, event) ~ age + rx)")
