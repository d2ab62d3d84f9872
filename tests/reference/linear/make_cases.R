# Rscript make_cases.R > cases.jsonl, in this folder: linear and logistic models. See README.md for the tolerances.
source("../case_writer.R")
suppressMessages(library(emmeans))
emm_options(covnames = character(0))

# ANCOVA: Beat the Blues, two months, baseline and drug, with the interaction of treatment and drug.
btheb <- read.csv("../btheb/btheb.csv", stringsAsFactors = FALSE)
btheb$treatment <- factor(btheb$treatment, c("TAU", "BtheB"))
btheb$drug <- factor(btheb$drug, c("No", "Yes"))
used <- btheb[!is.na(btheb$bdi.2m), ]
levels <- list(treatment = list("TAU", "BtheB"), drug = list("No", "Yes"))
diff_at <- function(within = NULL) {
  at <- list(difference = list(column = "treatment", level = "BtheB", minus = "TAU"))
  if (!is.null(within)) at$within <- within
  at
}
for (weights in c("equal", "proportional")) {
  fit <- lm(bdi.2m ~ bdi.pre + treatment * drug, used, contrasts = list(treatment = "contr.sum", drug = "contr.sum"))
  means <- emmeans(fit, "treatment", weights = weights, cov.reduce = mean)
  s <- as.data.frame(means)
  d <- as.data.frame(summary(contrast(means, "revpairwise"), infer = TRUE))
  expect <- list(value("residual_sd", sigma(fit), 1e-11), value("residual_df", df.residual(fit), 0))
  for (i in 1:2) {
    at <- list(lsmean = list(treatment = as.character(s$treatment[i])))
    expect <- c(expect, list(value("estimate", s$emmean[i], 1e-11, at), value("se", s$SE[i], 1e-11, at),
                             value("lower", s$lower.CL[i], 1e-9, at), value("upper", s$upper.CL[i], 1e-9, at)))
  }
  expect <- c(expect, list(value("estimate", d$estimate, 1e-10, diff_at()), value("se", d$SE, 1e-11, diff_at()),
                           value("t", d$t.ratio, 1e-10, diff_at()), value("p", d$p.value, 1e-9, diff_at()),
                           value("lower", d$lower.CL, 1e-9, diff_at()), value("upper", d$upper.CL, 1e-9, diff_at())))
  within <- as.data.frame(summary(contrast(emmeans(fit, ~ treatment | drug, cov.reduce = mean), "revpairwise"), infer = TRUE))
  for (i in 1:2) {
    at <- diff_at(list(drug = as.character(within$drug[i])))
    expect <- c(expect, list(value("estimate", within$estimate[i], 1e-10, at), value("se", within$SE[i], 1e-11, at),
                             value("p", within$p.value[i], 1e-9, at)))
  }
  drops <- drop1(fit, . ~ ., test = "F")
  for (term in c("bdi.pre", "treatment", "drug", "treatment:drug")) {
    at <- list(effect = as.list(strsplit(term, ":")[[1]]))
    expect <- c(expect, list(value("f", drops[term, "F value"], 1e-9, at), value("p", drops[term, "Pr(>F)"], 1e-9, at)))
  }
  write_case(paste0("linear.ancova.", weights), "ancova", "btheb/btheb.csv", list(response = "bdi.2m"), expect,
             paste0("lm(bdi.2m ~ bdi.pre + treatment * drug), contr.sum; emmeans, weights = ", weights, "; drop1"),
             list(formula = "bdi.pre + treatment * drug", levels = levels, lsmean_weights = weights))
}

# Dunnett: dose-biom, five doses; the integral by nested quadrature of stats::integrate on the balanced design.
biom <- read.csv("../biom/biom.csv", colClasses = c("character", "numeric"))
doses <- c("0", "0.05", "0.2", "0.6", "1")
fit <- lm(resp ~ factor(dose, doses), biom)
n <- table(factor(biom$dose, doses))
stopifnot(length(unique(n)) == 1)
inside <- function(t, k, df, lambda = sqrt(1 / 2)) {
  given <- function(s) vapply(s, function(s) integrate(function(y) dnorm(y) *
    (pnorm((t * s - lambda * y) / sqrt(1 - lambda^2)) - pnorm((-t * s - lambda * y) / sqrt(1 - lambda^2)))^k, -9, 9, rel.tol = 1e-12)$value, 0)
  integrate(function(s) 2 * df * s * dchisq(df * s^2, df) * given(s), 0.4, 1.8, rel.tol = 1e-12, subdivisions = 500)$value
}
df <- df.residual(fit)
t <- summary(fit)$coefficients[-1, "t value"]
expect <- list(value("critical_value", uniroot(function(c) inside(c, 4, df) - 0.95, c(2, 3), tol = 1e-13)$root, 1e-8))
for (i in 1:4)
  expect <- c(expect, list(value("adjusted_p", 1 - inside(abs(t[[i]]), 4, df), 1e-7,
                                 list(difference = list(column = "dose", level = doses[i + 1], minus = "0")))))
write_case("linear.dunnett.biom", "dunnett", "biom/biom.csv", list(response = "resp"), expect,
           "lm(resp ~ factor(dose)); nested integrate() of the balanced Dunnett integral",
           list(formula = "dose", levels = list(dose = as.list(doses)), factor = "dose", control = "0", alpha = 0.05))

# Logistic: being on the drug, by length of the episode, treatment and baseline; Wald and profile likelihood.
btheb$on_drug <- as.numeric(btheb$drug == "Yes")
btheb$length <- factor(btheb$length, c("<6m", ">6m"))
write.csv(data.frame(y = btheb$on_drug, length = btheb$length, treatment = btheb$treatment, pre = btheb$bdi.pre), "drug.csv",
          row.names = FALSE, quote = FALSE)
model <- y ~ length + treatment + pre
drug <- read.csv("drug.csv")
drug$length <- factor(drug$length, c("<6m", ">6m")); drug$treatment <- factor(drug$treatment, c("TAU", "BtheB"))
fit <- glm(model, binomial, drug, control = list(epsilon = 1e-15, maxit = 100))
terms <- list(list(), list(list(column = "length", level = ">6m")), list(list(column = "treatment", level = "BtheB")), list(list(column = "pre")))
x <- model.matrix(model, drug)
# summary() takes the weights of the step before the last, and so do its standard errors: off by the size of that step, 1e-8 here
# and 2e-7 on other data. The information is taken at the coefficients themselves, after Newton steps of our own.
b <- coef(fit)
for (i in 1:5) {
  probability <- plogis(x %*% b)[, 1]
  information <- crossprod(x * sqrt(probability * (1 - probability)))
  b <- b + solve(information, crossprod(x, drug$y - probability))[, 1]
}
se <- sqrt(diag(solve(information)))
s <- cbind(b, se, b / se, 2 * pnorm(-abs(b / se)))
# Profile limits by our own bisection on glm with an offset: MASS's confint() interpolates a spline.
profile_limit <- function(j, side) {
  fall <- function(b) {
    # The constrained fit is maximised directly, so that no tolerance of glm stands between.
    rest <- glm.fit(x[, -j, drop = FALSE], drug$y, family = binomial(), offset = b * x[, j], control = list(epsilon = 1e-15, maxit = 100))
    rest$deviance - deviance(fit) - qchisq(0.95, 1)
  }
  uniroot(fall, sort(s[j, 1] + side * c(0.5, 4) * s[j, 2]), tol = 1e-13)$root
}
for (interval in c("wald", "profile")) {
  expect <- list(value("deviance", deviance(fit), 1e-12), value("log_likelihood", as.numeric(logLik(fit)), 1e-12))
  for (j in 1:4) {
    at <- list(term = terms[[j]])
    limits <- if (interval == "wald") s[j, 1] + c(-1, 1) * qnorm(0.975) * s[j, 2] else c(profile_limit(j, -1), profile_limit(j, 1))
    expect <- c(expect, list(value("estimate", s[j, 1], 1e-8, at), value("se", s[j, 2], 1e-8, at), value("z", s[j, 3], 1e-8, at),
                             value("p", s[j, 4], 1e-7, at), value("lower", limits[1], 1e-7, at), value("upper", limits[2], 1e-7, at)))
  }
  write_case(paste0("linear.logistic.", interval), "logistic", "linear/drug.csv", list(response = "y"), expect,
             paste0("glm(y ~ length + treatment + pre, binomial, epsilon = 1e-15); limits ", interval),
             list(formula = "length + treatment + pre", levels = list(length = list("<6m", ">6m"), treatment = list("TAU", "BtheB")),
                  interval = interval))
}

# Firth: the saturated 2x2 model adds 1/2 to each cell, so the estimate and its error are closed forms: 0/7 against 4/5.
cat("y,g\n", rep("0,a\n", 7), rep("1,b\n", 4), "0,b\n", sep = "", file = "separated.csv")
b <- log(4.5 / 1.5) - log(0.5 / 7.5)
write_case("linear.logistic.firth", "logistic", "linear/separated.csv", list(response = "y"),
           list(value("estimate", log(0.5 / 7.5), 1e-9, list(term = list())),
                value("estimate", b, 1e-9, list(term = list(list(column = "g", level = "b")))),
                value("odds_ratio", exp(b), 1e-9, list(term = list(list(column = "g", level = "b"))))),
           "1/2 added to each cell", list(formula = "g", levels = list(g = list("a", "b"))))
