# Rscript make_cases.R > cases.jsonl, in this folder (a minute): repeated measures and imputation of the Beat the Blues trial. See
# README.md for the tolerances.
source("../case_writer.R")
source("dense.R")
suppressMessages({library(nlme); library(lmerTest); library(emmeans)})
source("imputation.R")
source_of <- function(call) sprintf("R %s; %s", getRversion(), call)
dense_call <- "dense.R, Newton's method to 1e-9 standard errors"

# One row a participant and visit; missing values stay rows.
wide <- read.csv("../btheb/btheb.csv", stringsAsFactors = FALSE)
visits <- c("2m", "3m", "5m", "8m")
months <- c(2, 3, 5, 8)
long <- do.call(rbind, lapply(seq_along(visits), function(j)
  data.frame(subject = wide$subject, visit = visits[j], month = months[j], treatment = wide$treatment, drug = wide$drug,
             length = wide$length, pre = wide$bdi.pre, bdi = wide[[paste0("bdi.", visits[j])]])))
long <- long[order(long$subject, long$month), ]
long$gaps <- ifelse(seq_len(nrow(long)) %% 7 == 0, NA, long$bdi)
last_of <- function(values) ave(ifelse(is.na(values), 0, long$month), long$subject, FUN = max)
long$ice <- as.integer(long$month > last_of(long$bdi))           # nobody comes back: the event is the first visit without a value
long$gaps_ice <- as.integer(long$month > last_of(long$gaps))
long$seen <- as.integer(last_of(long$bdi) > 0)                   # 3 participants have no value after baseline
write.csv(long, "bdi.csv", row.names = FALSE, quote = FALSE, na = "")
data <- "repeated/bdi.csv"

levels_of <- list(treatment = c("TAU", "BtheB"), visit = visits, drug = c("No", "Yes"), length = c("<6m", ">6m"))
for (column in names(levels_of)) long[[column]] <- factor(long[[column]], levels_of[[column]])
at_month <- match(long$month, months)
full <- "pre + drug + length + treatment * visit"

columns_of <- function(formula) all.vars(as.formula(paste("~", formula)))
levels_in <- function(formula, also = NULL) lapply(levels_of[names(levels_of) %in% c(columns_of(formula), also)], as.list)
term_of <- function(name) {
  if (name == "(Intercept)") return(list())
  lapply(strsplit(name, ":")[[1]], function(part) {
    for (column in names(levels_of))
      if (startsWith(part, column) && part != column) return(list(column = column, level = substring(part, nchar(column) + 1)))
    list(column = part)
  })
}

# LS means: the average row of the design over factors not named, numbers at their mean over the analysed rows.
mean_row <- function(formula, rows, at) {
  variables <- columns_of(formula)
  grid <- expand.grid(lapply(setNames(variables, variables), function(v)
    if (v %in% names(at)) at[[v]] else if (v %in% names(levels_of)) levels_of[[v]] else mean(rows[[v]])), stringsAsFactors = FALSE)
  for (v in intersect(variables, names(levels_of))) grid[[v]] <- factor(grid[[v]], levels_of[[v]])
  colMeans(model.matrix(as.formula(paste("~", formula)), grid))
}

# A tolerance in standard errors: an estimate near 0 has no relative accuracy.
in_errors <- function(digits, x, se) signif(digits * max(1, se / abs(x)), 2)

inference <- function(f, l, at, df, covariance = f$phi, test = TRUE, limits = FALSE, digits = 1e-8, df_digits = 1e-7) {
  b <- sum(l * f$b); se <- sqrt(c(l %*% covariance %*% l)); t <- b / se
  out <- list(value("estimate", b, in_errors(digits, b, se), at), value("se", se, digits, at),
              value("df", df, if (df == round(df)) 0 else df_digits, at), value("t", t, in_errors(2 * digits, t, 1), at))
  if (test) out <- c(out, list(value("p", 2 * pt(-abs(t), df), signif(100 * digits * max(1, t^2), 2), at)))
  if (limits) for (side in c(-1, 1)) {
    x <- b + side * qt(0.975, df) * se
    out <- c(out, list(value(if (side < 0) "lower" else "upper", x, in_errors(10 * digits, x, se), at)))
  }
  out
}

fit_values <- function(f) {
  minus2 <- f$neg2; k <- f$k; counted <- f$d$n - f$reml * f$d$p
  list(value("n_observations", f$d$n, 0), value("n_subjects", f$d$subjects, 0), value("neg2_log_likelihood", minus2, 1e-12),
       value("aic", minus2 + 2 * k, 1e-12), value("aicc", minus2 + 2 * k * counted / (counted - k - 1), 1e-12),
       value("bic", minus2 + k * log(f$d$subjects), 1e-12))
}

# Terms, LS means by treatment and differences at visits, difference over all visits. `df_of(l)`; `covariance` of the coefficients.
answers <- function(f, formula, rows, df_of, covariance = f$phi, terms = TRUE, at = visits) {
  expect <- list()
  for (j in seq_along(f$b)[terms]) {
    l <- as.numeric(seq_along(f$b) == j)
    expect <- c(expect, inference(f, l, list(term = term_of(colnames(f$d$kinds[[1]]$x)[j])), df_of(l), covariance))
  }
  both <- lapply(setNames(levels_of$treatment, levels_of$treatment), function(arm) function(...) mean_row(formula, rows, list(treatment = arm, ...)))
  difference <- list(column = "treatment", level = "BtheB", minus = "TAU")
  for (v in at) {
    for (arm in levels_of$treatment) {
      l <- both[[arm]](visit = v)
      expect <- c(expect, inference(f, l, list(lsmean = list(treatment = arm, visit = v)), df_of(l), covariance, test = FALSE))
    }
    l <- both$BtheB(visit = v) - both$TAU(visit = v)
    expect <- c(expect, inference(f, l, list(difference = difference, within = list(visit = v)), df_of(l), covariance, limits = TRUE))
  }
  l <- both$BtheB() - both$TAU()
  c(expect, inference(f, l, list(difference = difference), df_of(l), covariance, limits = TRUE))
}

# Which coefficients are constant within every participant.
counted_df <- function(x, subject) {
  constant <- apply(x, 2, function(c) all(tapply(c, subject, function(v) all(v == v[1]))))
  n <- nrow(x); s <- length(unique(subject)); between <- sum(constant)
  df <- ifelse(constant & colnames(x) != "(Intercept)", s - between, n - s - (ncol(x) - between))
  function(l) min(df[l != 0])
}

model_of <- function(formula, response, rows) model.matrix(as.formula(paste("~", formula)), rows)
prepared <- function(formula, response) {
  i <- !is.na(long[[response]])
  rows <- long[i, ]
  x <- model_of(formula, response, rows)
  list(rows = rows, x = x, y = rows[[response]], d = gather(x, rows[[response]], rows$subject, at_month[i], 4),
       sd = tapply(residuals(lm(rows[[response]] ~ x - 1)), at_month[i], sd))
}
options_of <- function(formula, ...) list(formula = formula, levels = levels_in(formula), ...)
roles <- function(response, ...) c(list(response = response, subject = "subject"), list(...))

# nlme reaches the same optimum: its log likelihood agrees to 1e-10, its estimates then to the root of that in standard errors.
nlme_correlation <- list(unstructured = corSymm(form = ~ at | subject), compound_symmetry = corCompSymm(form = ~ at | subject),
                         ar1 = corAR1(form = ~ at | subject),
                         toeplitz = corARMA(c(0.4, 0.2, 0.2), form = ~ at | subject, p = 3))  # any Toeplitz matrix of 4 visits
fit_nlme <- function(structure, formula, response, reml) {
  rows <- cbind(long, at = at_month)
  rows <- rows[!is.na(rows[[response]]), ]
  heterogeneous <- startsWith(structure, "heterogeneous_") || structure == "unstructured"
  model <- as.formula(paste(response, "~", formula))
  fit <- function(opt)
    do.call(gls, list(model, rows, correlation = nlme_correlation[[sub("heterogeneous_", "", structure)]], method = if (reml) "REML" else "ML",
                      weights = if (heterogeneous) varIdent(form = ~ 1 | visit),
                      control = glsControl(opt = opt, optimMethod = "BFGS", tolerance = 1e-12, msTol = 1e-14, maxIter = 500, msMaxIter = 1000,
                                           apVar = FALSE)))
  u <- tryCatch(fit("optim"), error = function(e) fit("nlminb"))  # a first step of BFGS may leave the stationary AR(3)
  # with maximum likelihood gls gives standard errors with a divisor n - p instead of n
  list(b = coef(u), se = sqrt(diag(vcov(u)) * if (reml) 1 else 1 - length(coef(u)) / nrow(rows)), value = -2 * c(logLik(u)))
}
agree <- function(f, u) {
  se <- sqrt(diag(f$phi))
  cat(sprintf("  nlme: likelihood %.1e, estimates %.1e, errors %.1e\n", u$value - f$neg2, max(abs(u$b - f$b) / se), max(abs(u$se / se - 1))), file = stderr())
  stopifnot(abs(u$value - f$neg2) < 1e-7, max(abs(u$b - f$b) / se) < 1e-5, max(abs(u$se / se - 1)) < 1e-5)
}

# mmrm
for (response in c("bdi", "gaps")) {
  p <- prepared(full, response)
  for (structure in c("unstructured", "heterogeneous_compound_symmetry", "compound_symmetry", "heterogeneous_ar1", "ar1", "heterogeneous_toeplitz",
                      "toeplitz", "heterogeneous_ante_dependence", "ante_dependence")) for (reml in c(TRUE, FALSE)) {
    unstructured <- structure == "unstructured"
    if (!reml && !unstructured && structure != "heterogeneous_ar1") next
    if (response == "gaps" && !(structure %in% c("unstructured", "heterogeneous_toeplitz", "ar1"))) next
    cat(response, structure, reml, "\n", file = stderr())
    f <- fit_dense(p$d, structure_of(structure, 4, p$sd), reml)
    if (sub("heterogeneous_", "", structure) %in% names(nlme_correlation)) agree(f, fit_nlme(structure, full, response, reml))
    slopes <- phi_slopes(f)
    expect <- fit_values(f)
    for (j in 1:4) for (k in 1:j)
      expect <- c(expect, list(value("covariance", f$sigma[j, k], in_errors(1e-8, f$sigma[j, k], 10), list(row = visits[j], column = visits[k]))))
    named <- function(df) paste("repeated.mmrm", response, structure, if (reml) "reml" else "ml", df, sep = ".")
    write <- function(df, expect, call) write_case(named(df), "mmrm", data, roles(response, visit = "visit"), expect, paste0(dense_call, "; ", call),
      options_of(full, covariance = structure, estimation = if (reml) "reml" else "ml", df = df))
    answer <- function(df_of, covariance = f$phi, terms = unstructured)
      answers(f, full, p$rows, df_of, covariance, terms, if (unstructured) visits else "8m")
    by_satterthwaite <- function(l) satterthwaite(f, l, slopes)
    write("satterthwaite", c(expect, answer(by_satterthwaite, terms = unstructured && reml)), "2 v^2 / (g'Ag) with numDeriv's derivatives")
    if (!reml || !(structure %in% c("unstructured", "heterogeneous_ar1", "heterogeneous_toeplitz"))) next
    for (second in c(TRUE, FALSE)) {
      if (!second && !unstructured) next
      write(if (second) "kenward_roger" else "kenward_roger_linear", answer(by_satterthwaite, kenward_roger(f, second), unstructured && response == "bdi"),
            "Kenward and Roger (1997) as printed")
    }
    if (response != "gaps" || !unstructured) next
    write("between_within", answer(counted_df(p$x, p$rows$subject)), "columns counted")
    write("residual", answer(function(l) p$d$n - p$d$p, terms = FALSE), "n - p")
  }
}

# gls: nlme itself, which stops where its log likelihood is flat to 1e-10: estimates are good to the root of that in standard errors.
for (response in c("bdi", "gaps")) for (structure in c("unstructured", "heterogeneous_compound_symmetry", "ar1", "toeplitz")) for (reml in c(TRUE, FALSE)) {
  if (!reml && structure != "unstructured") next
  p <- prepared(full, response)
  u <- fit_nlme(structure, full, response, reml)
  agree(fit_dense(p$d, structure_of(structure, 4, p$sd), reml), u)
  expect <- unlist(lapply(seq_along(u$b), function(j) {
    at <- list(term = term_of(names(u$b)[j]))
    list(value("estimate", u$b[[j]], in_errors(1e-5, u$b[[j]], u$se[[j]]), at), value("se", u$se[[j]], 1e-5, at))
  }), recursive = FALSE)
  write_case(paste("repeated.gls", response, structure, if (reml) "reml" else "ml", sep = "."), "gls", data, roles(response, visit = "visit"), expect,
             sprintf("nlme %s: gls, opt = \"optim\", BFGS, tolerance 1e-12", packageVersion("nlme")),
             options_of(full, covariance = structure, estimation = if (reml) "reml" else "ml"))
}

# linear_mixed: random intercept, and random intercept and slope in months. lme4 and lmerTest say the same to the digits at which they stop.
for (response in c("bdi", "gaps")) for (slope in c(FALSE, TRUE)) for (reml in c(TRUE, FALSE)) {
  formula <- if (slope) "pre + drug + treatment * month" else "pre + drug + length + treatment * visit"
  cat(response, formula, reml, "\n", file = stderr())
  p <- prepared(formula, response)
  z <- if (slope) cbind(1, months) else matrix(1, 4, 1)
  q <- ncol(z)
  model <- lmer(as.formula(paste(response, "~", formula, if (slope) "+ (month | subject)" else "+ (1 | subject)")), p$rows, REML = reml,
                control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e5)))
  near <- VarCorr(model)$subject
  near <- c(near[upper.tri(near, TRUE)], sigma(model)^2)
  f <- fit_dense(p$d, random_effects(z, near), reml, near)
  slopes <- phi_slopes(f)
  other <- coef(summary(model))
  own_se <- sqrt(diag(f$phi)); own_df <- vapply(seq_along(f$b), function(j) satterthwaite(f, as.numeric(seq_along(f$b) == j), slopes), 0)
  cat(sprintf("  lme4: likelihood %.1e, estimates %.1e, errors %.1e, df %.1e\n", -2 * c(logLik(model)) - f$neg2, max(abs(other[, 1] - f$b) / own_se),
              max(abs(other[, 2] / own_se - 1)), max(abs(other[, 3] / own_df - 1))), file = stderr())
  stopifnot(abs(-2 * c(logLik(model)) - f$neg2) < 1e-7, max(abs(other[, 1] - f$b) / own_se) < 1e-5, max(abs(other[, 2] / own_se - 1)) < 1e-5,
            max(abs(other[, 3] / own_df - 1)) < 1e-4)
  random <- c("1", "month")[seq_len(q)]
  expect <- fit_values(f)
  for (i in seq_len(nrow(f$structure$at))) {
    r <- f$structure$at[i, ]
    expect <- c(expect, list(value("random_covariance", f$theta[i], in_errors(1e-7, f$theta[i], sqrt(f$a[i, i])), list(row = random[r[1]], column = random[r[2]]))))
  }
  expect <- c(expect, list(value("residual_variance", f$theta[f$k], 1e-7), value("residual_sd", sqrt(f$theta[f$k]), 1e-7)))
  write <- function(df, expect, call) write_case(
    paste("repeated.linear_mixed", response, if (slope) "slope" else "intercept", if (reml) "reml" else "ml", df, sep = "."), "linear_mixed", data,
    roles(response), expect, paste0(dense_call, "; ", call),
    options_of(formula, random = as.list(random), estimation = if (reml) "reml" else "ml", df = df))
  write("satterthwaite", c(expect, answers(f, formula, p$rows, function(l) satterthwaite(f, l, slopes), terms = slope, at = if (slope) c() else visits)),
        sprintf("lme4 %s and lmerTest %s agree", packageVersion("lme4"), packageVersion("lmerTest")))
  if (reml) write("kenward_roger", answers(f, formula, p$rows, function(l) satterthwaite(f, l, slopes), kenward_roger(f, TRUE), slope, if (!slope) "8m"),
                  "Kenward and Roger (1997) as printed, A the inverse observed information")
}

# reference_based_imputation: conditional means from the dense fit, jackknife by refitting without each participant.
imputation_formula <- "pre * visit + treatment * visit"
analysis_formula <- "treatment + pre"
everyone <- c("mar", "jump_to_reference", "copy_reference", "copy_increments_in_reference")
write_imputation <- function(response, reml, strategies, where = NULL) {
  cat(response, reml, strategies, "\n", file = stderr())
  rows <- long
  if (!is.null(where)) rows <- rows[rows$seen == 1, ]
  rows$event <- rows[[if (response == "gaps") "gaps_ice" else "ice"]]
  sd <- prepared(imputation_formula, response)$sd
  j <- jackknife(rows, response, imputation_formula, analysis_formula, "TAU", strategies, reml, sd)
  for (s in strategies) {
    expect <- list()
    for (v in seq_along(visits)) for (i in 1:3) {
      b <- j$estimate[3 * (v - 1) + i, s]; se <- j$se[3 * (v - 1) + i, s]
      at <- if (i < 3) list(lsmean = list(treatment = levels_of$treatment[i], visit = visits[v]))
            else list(difference = list(column = "treatment", level = "BtheB", minus = "TAU"), within = list(visit = visits[v]))
      expect <- c(expect, list(value("estimate", b, in_errors(1e-8, b, se), at), value("se", se, 1e-7, at),
                               value("lower", b - qnorm(0.975) * se, in_errors(1e-7, b - qnorm(0.975) * se, se), at),
                               value("upper", b + qnorm(0.975) * se, in_errors(1e-7, b + qnorm(0.975) * se, se), at)))
      if (i == 3) expect <- c(expect, list(value("p", 2 * pnorm(-abs(b / se)), signif(1e-6 * max(1, (b / se)^2), 2), at)))
    }
    expect <- c(expect, list(value("neg2_log_likelihood", j$neg2, 1e-12)))
    write_case(paste("repeated.imputation", response, if (reml) "reml" else "ml", s, sep = "."), "reference_based_imputation", data,
               roles(response, visit = "visit", group = "treatment", ice = if (response == "gaps") "gaps_ice" else "ice"), expect,
               "imputation.R: conditional means participant by participant, each left out in turn",
               list(strategy = s, reference = "TAU", formula = imputation_formula, levels = levels_in(imputation_formula),
                    covariance = "unstructured", estimation = if (reml) "reml" else "ml", analysis_formula = analysis_formula,
                    variance = "jackknife"), where)
  }
}
write_imputation("bdi", TRUE, everyone)
# the mean before the event is needed: the 3 without any value are left out
write_imputation("bdi", TRUE, "last_mean_carried_forward", list(list(column = "seen", is = "1")))
write_imputation("gaps", FALSE, c("mar", "jump_to_reference", "copy_increments_in_reference"))

# locf: the last value up to the visit, lm and emmeans.
write_locf <- function(name, response, at, formula, where = NULL) {
  rows <- long[long$month <= months[match(at, visits)] & !is.na(long[[response]]), ]
  if (!is.null(where)) rows <- rows[rows$length == where[[1]]$is, ]
  last <- rows[!duplicated(rows$subject, fromLast = TRUE), ]
  fit <- lm(as.formula(paste(response, "~", formula)), droplevels(last))
  expect <- list(value("n_observations", nrow(last), 0), value("n_imputed", sum(last$visit != at), 0), value("residual_sd", sigma(fit), 1e-12),
                 value("residual_df", fit$df.residual, 0))
  coefficients <- coef(summary(fit))
  for (j in seq_len(nrow(coefficients))) {
    at_term <- list(term = term_of(rownames(coefficients)[j]))
    expect <- c(expect, list(value("estimate", coefficients[j, 1], in_errors(1e-11, coefficients[j, 1], coefficients[j, 2]), at_term),
                             value("se", coefficients[j, 2], 1e-11, at_term), value("p", coefficients[j, 4], 1e-9, at_term)))
  }
  means <- emmeans(fit, "treatment", cov.reduce = mean)
  s <- as.data.frame(means)
  for (i in 1:2) expect <- c(expect, list(value("estimate", s$emmean[i], 1e-11, list(lsmean = list(treatment = levels_of$treatment[i]))),
                                          value("se", s$SE[i], 1e-11, list(lsmean = list(treatment = levels_of$treatment[i])))))
  d <- as.data.frame(summary(contrast(means, "revpairwise"), infer = TRUE))
  at_difference <- list(difference = list(column = "treatment", level = "BtheB", minus = "TAU"))
  for (q in list(c("estimate", "estimate"), c("se", "SE"), c("t", "t.ratio"), c("df", "df"), c("lower", "lower.CL"), c("upper", "upper.CL"), c("p", "p.value")))
    expect <- c(expect, list(value(q[1], d[[q[2]]], if (q[1] == "df") 0 else if (q[1] %in% c("estimate", "se", "t")) 1e-11 else 1e-9, at_difference)))
  write_case(paste("repeated.locf", name, sep = "."), "locf", data, roles(response, visit = "visit"), expect,
             sprintf("last value of each participant; lm, emmeans %s", packageVersion("emmeans")),
             c(if (at != "8m") list(at = at), list(formula = formula, levels = levels_in(formula, "visit"))), where)
}
write_locf("last", "bdi", "8m", "treatment + pre")
write_locf("at_5m", "gaps", "5m", "treatment + drug + length + pre")
write_locf("interaction", "gaps", "8m", "treatment * drug + pre")
write_locf("short_illness", "bdi", "8m", "treatment + drug + pre", list(list(column = "length", is = "<6m")))
