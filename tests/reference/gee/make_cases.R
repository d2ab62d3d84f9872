# Rscript make_cases.R > cases.jsonl, in this folder: generalised estimating equations by geepack, LS means by emmeans, corrections by
# their dense formulas. See README.md for the tolerances.
source("../case_writer.R")
suppressMessages({library(geepack); library(emmeans); library(clubSandwich)})
emm_options(cov.keep = character(0))  # a covariate of two values stays a number
source_of <- function(call) sprintf("R %s; geepack %s; %s", getRversion(), packageVersion("geepack"), call)

# Respiratory illness (binomial), 111 patients, 4 visits; `some` lacks every seventh cell, so that visits have gaps.
data(respiratory)
respiratory$subject <- paste(respiratory$center, respiratory$id, sep = "-")
respiratory <- respiratory[order(respiratory$subject, respiratory$visit), ]
respiratory$some <- ifelse(seq_len(nrow(respiratory)) %% 7 == 0, NA, respiratory$outcome)
write.csv(respiratory[c("subject", "center", "treat", "sex", "age", "baseline", "visit", "outcome", "some")], "respiratory.csv",
          row.names = FALSE, quote = FALSE, na = "")
# Epileptic seizures (poisson), 59 patients, 4 periods.
data(seizure)
long <- do.call(rbind, lapply(1:4, function(j) data.frame(subject = seq_len(nrow(seizure)), visit = j, y = seizure[[paste0("y", j)]],
                                                          trt = ifelse(seizure$trt == 1, "progabide", "placebo"),
                                                          base = seizure$base, age = seizure$age)))
seizures <- long[order(long$subject, long$visit), ]
write.csv(seizures, "seizures.csv", row.names = FALSE, quote = FALSE)
# Beat the Blues (gaussian), 4 visits with dropout.
wide <- read.csv("../btheb/btheb.csv", stringsAsFactors = FALSE)
visits <- c("2m", "3m", "5m", "8m")
bdi <- do.call(rbind, lapply(visits, function(v) data.frame(subject = wide$subject, visit = v, treatment = wide$treatment, pre = wide$bdi.pre,
                                                            bdi = wide[[paste0("bdi.", v)]])))
bdi <- bdi[order(bdi$subject, match(bdi$visit, visits)), ]
bdi <- bdi[!is.na(bdi$bdi), ]
write.csv(bdi, "bdi.csv", row.names = FALSE, quote = FALSE)

sets <- list(
  respiratory = list(data = respiratory, response = "outcome", family = binomial, factor = "treat", visits = as.character(1:4),
                     formula = "treat + visit + baseline + age", levels = list(treat = c("P", "A"), visit = as.character(1:4))),
  gaps = list(data = respiratory[!is.na(respiratory$some), ], file = "respiratory", response = "some", family = binomial, factor = "treat",
              visits = as.character(1:4), formula = "treat * baseline + age", levels = list(treat = c("P", "A"))),
  seizures = list(data = seizures, response = "y", family = poisson, factor = "trt", visits = as.character(1:4),
                  formula = "trt + base + age + visit", levels = list(trt = c("placebo", "progabide"), visit = as.character(1:4))),
  bdi = list(data = bdi, response = "bdi", family = gaussian, factor = "treatment", visits = visits,
             formula = "treatment * visit + pre", levels = list(treatment = c("TAU", "BtheB"), visit = visits)))

fit_of <- function(set, correlation) {
  d <- set$data
  for (column in names(set$levels)) d[[column]] <- factor(d[[column]], set$levels[[column]])
  number <- match(set$data$visit, set$visits)
  id <- match(d$subject, unique(d$subject))
  model <- as.formula(paste(set$response, "~", set$formula))
  control <- geese.control(epsilon = 1e-13, maxit = 500)
  # "unstructured" of geeglm takes the rows of a participant as the first visits, whatever `waves` says (and may crash with it).
  zcor <- if (correlation == "unstructured") genZcor(as.integer(table(id)), waves = number, corstrv = 4) 
  e <- list2env(list(d = d, id = id, number = number, zcor = zcor), parent = globalenv())
  environment(model) <- e
  corstr <- if (correlation == "unstructured") "userdefined" else correlation
  fit <- if (is.null(zcor)) geeglm(model, family = set$family, data = d, id = id, waves = number, corstr = corstr, control = control)
         else geeglm(model, family = set$family, data = d, id = id, corstr = corstr, zcor = zcor, control = control)
  list(fit = fit, d = d, id = id, number = number, x = model.matrix(model, d), correlation = correlation)
}

# The matrix R of geepack's correlation parameters for rows at these visits.
working <- function(f, at) {
  a <- f$fit$geese$alpha; m <- length(at)
  if (f$correlation == "independence" || m == 1) return(diag(m))
  r <- outer(at, at, function(j, k) switch(f$correlation, exchangeable = ifelse(j == k, 1, a), ar1 = a^abs(j - k), {
    name <- paste0("alpha.", pmin(j, k), ":", pmax(j, k))
    ifelse(j == k, 1, a[name])
  }))
  matrix(r, m, m)
}
root_inverse <- function(a) { e <- eigen(a); Re(e$vectors %*% diag(1 / sqrt(e$values), nrow(a)) %*% solve(e$vectors)) }  # not symmetric

# Var b by the formulas of the papers, matrices as large as the participant.
sandwich_of <- function(f, correction, set) {
  mu <- fitted(f$fit); v <- set$family()$variance(mu); y <- f$d[[set$response]]
  parts <- lapply(split(seq_along(y), f$id), function(i) {
    dd <- diag(v[i], length(i)) %*% f$x[i, , drop = FALSE]
    list(d = dd, inverse = solve(diag(sqrt(v[i]), length(i)) %*% working(f, f$number[i]) %*% diag(sqrt(v[i]), length(i))), r = y[i] - mu[i])
  })
  b <- solve(Reduce(`+`, lapply(parts, function(p) t(p$d) %*% p$inverse %*% p$d)))
  scores <- sapply(parts, function(p) {
    h <- p$d %*% b %*% t(p$d) %*% p$inverse
    s <- function(r) t(p$d) %*% p$inverse %*% r
    switch(correction, none = s(p$r), mancl_derouen = s(solve(diag(nrow(h)) - h, p$r)), kauermann_carroll = s(root_inverse(diag(nrow(h)) - h) %*% p$r),
           fay_graubard = (1 - pmin(0.75, diag(t(p$d) %*% p$inverse %*% p$d %*% b)))^-0.5 * s(p$r))
  })
  b %*% scores %*% t(scores) %*% b
}

term_of <- function(name, set) {
  if (name == "(Intercept)") return(list())
  lapply(strsplit(name, ":")[[1]], function(part) {
    for (column in names(set$levels)) if (startsWith(part, column) && part != column) return(list(column = column, level = substring(part, nchar(column) + 1)))
    list(column = part)
  })
}
family_name <- function(set) set$family()$family
options_of <- function(set, correlation, ...) {
  o <- list(formula = set$formula, levels = lapply(set$levels, as.list), family = family_name(set), working_correlation = correlation)
  if (is.null(set$levels$visit) && correlation %in% c("ar1", "unstructured")) o$visits <- as.list(set$visits)
  c(o, list(...))
}
roles_of <- function(set, correlation)
  c(list(response = set$response, subject = "subject"), if (correlation %in% c("ar1", "unstructured")) list(visit = "visit"))

for (name in names(sets)) for (correlation in c("independence", "exchangeable", "ar1", "unstructured")) {
  set <- sets[[name]]
  f <- fit_of(set, correlation)
  b <- coef(f$fit); se <- sqrt(diag(f$fit$geese$vbeta))
  own <- sqrt(diag(sandwich_of(f, "none", set)))
  stopifnot(max(abs(own / se - 1)) < 1e-7)
  expect <- list(value("dispersion", f$fit$geese$gamma[[1]], 1e-8), value("n_subjects", max(f$id), 0))
  a <- f$fit$geese$alpha
  if (correlation %in% c("exchangeable", "ar1")) expect <- c(expect, list(value("working_correlation", a[[1]], 1e-7)))
  if (correlation == "unstructured") for (j in 1:3) for (k in (j + 1):4)
    expect <- c(expect, list(value("working_correlation", a[[paste0("alpha.", j, ":", k)]], 1e-7, list(row = set$visits[j], column = set$visits[k]))))
  for (j in seq_along(b)) {
    at <- list(term = term_of(names(b)[j], set))
    expect <- c(expect, list(value("estimate", b[[j]], 1e-7, at), value("robust_se", se[[j]], 1e-7, at), value("p", 2 * pnorm(-abs(b[[j]] / se[[j]])), 1e-6, at)))
  }
  # LS means and their difference; on the response too.
  means <- as.data.frame(emmeans(f$fit, set$factor, data = f$d, cov.reduce = mean))
  for (i in 1:2) {
    at <- list(lsmean = setNames(list(as.character(means[[set$factor]][i])), set$factor))
    expect <- c(expect, list(value("estimate", means$emmean[i], 1e-7, at), value("robust_se", means$SE[i], 1e-7, at)))
    back <- set$family()$linkinv(means$emmean[i] + c(0, -1, 1) * qnorm(0.975) * means$SE[i])
    quantity <- c(binomial = "share", poisson = "mean")[family_name(set)]
    if (!is.na(quantity)) expect <- c(expect, list(value(quantity[[1]], back[1], 1e-7, at), value(paste0(quantity, "_lower"), back[2], 1e-7, at),
                                                   value(paste0(quantity, "_upper"), back[3], 1e-7, at)))
  }
  d <- as.data.frame(contrast(emmeans(f$fit, set$factor, data = f$d, cov.reduce = mean), "revpairwise"))
  at <- list(difference = list(column = set$factor, level = set$levels[[set$factor]][2], minus = set$levels[[set$factor]][1]))
  expect <- c(expect, list(value("estimate", d$estimate, 1e-7, at), value("robust_se", d$SE, 1e-7, at),
                           value("p", 2 * pnorm(-abs(d$estimate / d$SE)), 1e-6, at)))
  quantity <- c(binomial = "odds_ratio", poisson = "rate_ratio")[family_name(set)]
  if (!is.na(quantity)) expect <- c(expect, list(value(quantity[[1]], exp(d$estimate), 1e-7, at),
                                                 value(paste0(quantity, "_upper"), exp(d$estimate + qnorm(0.975) * d$SE), 1e-7, at)))
  write_case(paste("gee", name, correlation, sep = "."), "gee", sprintf("gee/%s.csv", if (is.null(set$file)) name else set$file),
             roles_of(set, correlation), expect,
             sprintf("geeglm(%s ~ %s, %s, id, waves, corstr = \"%s\", epsilon = 1e-13)%s", set$response, set$formula, family_name(set), correlation,
                     if (correlation == "unstructured") " as userdefined with genZcor(corstrv = 4)" else ""),
             options_of(set, correlation))
  if (correlation %in% c("exchangeable", "unstructured")) for (correction in c("mancl_derouen", "kauermann_carroll", "fay_graubard")) {
    corrected <- sqrt(diag(sandwich_of(f, correction, set)))
    df <- max(f$id) - length(b)
    expect <- list()
    for (j in seq_along(b)) {
      at <- list(term = term_of(names(b)[j], set))
      expect <- c(expect, list(value("robust_se", corrected[[j]], 1e-7, at), value("p", 2 * pt(-abs(b[[j]] / corrected[[j]]), df), 1e-6, at)))
    }
    write_case(paste("gee", name, correlation, correction, sep = "."), "gee", sprintf("gee/%s.csv", if (is.null(set$file)) name else set$file),
               roles_of(set, correlation), expect, sprintf("dense formula of %s at geepack's estimates; t with %d df", correction, df),
               options_of(set, correlation, correction = correction, df = "subjects_minus_coefficients"))
  }
}

# Wald test of the interaction by geepack's own matrix, and the corrections that clubSandwich has by other names.
set <- sets$bdi; f <- fit_of(set, "exchangeable")
k <- grep(":", names(coef(f$fit)))
chi_square <- c(t(coef(f$fit)[k]) %*% solve(f$fit$geese$vbeta[k, k]) %*% coef(f$fit)[k])
at <- list(effect = list("treatment", "visit"))
write_case("gee.bdi.effect", "gee", "gee/bdi.csv", roles_of(set, "exchangeable"),
           list(value("chi_square", chi_square, 1e-7, at), value("p", pchisq(chi_square, 3, lower.tail = FALSE), 1e-6, at), value("df", 3, 0, at)),
           "b'V^-1 b of the interaction's coefficients, V = vbeta of geeglm", options_of(set, "exchangeable"))
for (name in c("respiratory", "seizures", "bdi")) {
  set <- sets[[name]]; f <- fit_of(set, "independence")
  plain <- glm(as.formula(paste(set$response, "~", set$formula)), set$family, f$d, control = list(epsilon = 1e-15, maxit = 100))
  kinds <- c(CR3 = "mancl_derouen", if (name == "bdi") c(CR2 = "kauermann_carroll"))
  for (kind in names(kinds)) {
    v <- if (name == "bdi") vcovCR(lm(formula(plain), f$d), cluster = f$id, type = kind) else vcovCR(plain, cluster = f$id, type = kind)
    expect <- lapply(seq_along(coef(plain)), function(j) value("robust_se", sqrt(v[j, j]), 1e-6, list(term = term_of(names(coef(plain))[j], set))))
    write_case(paste("gee", name, "club", kinds[[kind]], sep = "."), "gee", sprintf("gee/%s.csv", name), roles_of(set, "independence"), expect,
               sprintf("clubSandwich %s: vcovCR(%s, type = \"%s\")", packageVersion("clubSandwich"), if (name == "bdi") "lm" else "glm", kind),
               options_of(set, "independence", correction = kinds[[kind]]))
  }
}
