# Rscript make_cases.R > cases.jsonl, in this folder: intervals and tests of proportions and of larger tables, from base R where it
# has them, else from the formulas of the papers written out here; coin gives two of the Cochran-Mantel-Haenszel statistics. See
# README.md for the tolerances.
source("../case_writer.R")
suppressMessages(library(coin))
suppressWarnings(detach("package:survival", force = TRUE))  # coin attaches it; no case is made with it

# The data, made by hand: events and sizes of three arms in three centres, a grade from 1 to 4 that leans with the arm, and a
# second reading of the response.
cells <- expand.grid(arm = c("control", "low", "high"), centre = c("A", "B", "C"), stringsAsFactors = FALSE)
cells$n <- c(12, 11, 13, 9, 10, 8, 5, 6, 7)
cells$x <- c(3, 5, 8, 2, 4, 5, 0, 2, 4)
rows <- do.call(rbind, lapply(seq_len(nrow(cells)), function(i) {
  cell <- cells[i, ]
  k <- seq_len(cell$n)
  data.frame(arm = cell$arm, centre = cell$centre, response = as.integer(k <= cell$x),
             grade = 1 + (k * 7 + i * 3 + (cell$arm == "high") * k) %% 4,
             again = as.integer((k + i) %% 3 == 0 | (k <= cell$x & k %% 4 != 0)))
}))
if (!file.exists("proportions.csv")) write.csv(rows, "proportions.csv", row.names = FALSE, quote = FALSE)
rows <- read.csv("proportions.csv")
rows$arm <- factor(rows$arm); rows$centre <- factor(rows$centre)

roles <- list(response = "response", group = "arm"); in_strata <- c(roles, list(strata = list("centre")))
pair <- list(difference = list(level = "high", minus = "control"))
case <- function(id, method, roles, expect, call, options = NULL, where = NULL)
  write_case(paste0("proportions.", id), method, "proportions/proportions.csv", roles, expect, call, options, where)
of <- function(arm, data = rows) { d <- data[data$arm == arm, ]; c(x = sum(d$response), n = nrow(d)) }
limits <- function(estimate, ci, tol) list(value("estimate", estimate, tol), value("lower", ci[1], tol), value("upper", ci[2], tol))
z <- qnorm(0.975)

# One proportion
for (correction in c(FALSE, TRUE)) for (arm in levels(rows$arm)) {
  o <- of(arm); test <- prop.test(o["x"], o["n"], correct = correction)
  # prop.test shrinks the correction when x is near n/2; these arms are not
  if (abs(o["x"] - o["n"] / 2) >= 0.5)
    case(paste("wilson", arm, correction, sep = "."), "wilson", list(response = "response"),
         limits(o["x"] / o["n"], test$conf.int, 1e-12), "prop.test", list(correction = correction),
         list(list(column = "arm", is = arm)))
}

# Two proportions
a <- of("high"); b <- of("control"); p1 <- a[["x"]] / a[["n"]]; p2 <- b[["x"]] / b[["n"]]
w1 <- prop.test(a["x"], a["n"], correct = FALSE)$conf.int; w2 <- prop.test(b["x"], b["n"], correct = FALSE)$conf.int
d <- p1 - p2
newcombe <- c(d - sqrt((p1 - w1[1])^2 + (w2[2] - p2)^2), d + sqrt((w1[2] - p1)^2 + (p2 - w2[1])^2))
case("newcombe", "newcombe", roles, limits(d, newcombe, 1e-12), "from prop.test(correct = FALSE)", pair)
wald <- prop.test(c(a["x"], b["x"]), c(a["n"], b["n"]), correct = FALSE)$conf.int
se <- sqrt(p1 * (1 - p1) / a[["n"]] + p2 * (1 - p2) / b[["n"]])
case("risk_difference", "risk_difference", roles, c(limits(d, wald, 1e-12), list(value("se", se, 1e-12), value("z", d / se, 1e-12))),
     "prop.test(correct = FALSE)", pair)
m1 <- (a[["x"]] + 1) / (a[["n"]] + 2); m2 <- (b[["x"]] + 1) / (b[["n"]] + 2)
ac <- m1 - m2 + c(-1, 1) * z * sqrt(m1 * (1 - m1) / (a[["n"]] + 2) + m2 * (1 - m2) / (b[["n"]] + 2))
case("agresti_caffo", "risk_difference", roles, limits(d, ac, 1e-12), "formula", c(pair, list(interval = "agresti_caffo")))
tab <- table(rows$arm, 1 - rows$response)[c("high", "control"), ]
rr <- p1 / p2; se_rr <- sqrt(1 / a[["x"]] - 1 / a[["n"]] + 1 / b[["x"]] - 1 / b[["n"]])
case("risk_ratio", "risk_ratio", roles, limits(rr, exp(log(rr) + c(-1, 1) * z * se_rr), 1e-12), "formula", pair)
model <- summary(glm(response ~ relevel(arm, "control"), binomial, rows, control = list(epsilon = 1e-15, maxit = 50)))$coefficients[2, ]
or <- tab[1, 1] * tab[2, 2] / (tab[1, 2] * tab[2, 1]); se_or <- sqrt(sum(1 / tab))
stopifnot(abs(log(or) - model[1]) < 1e-9, abs(se_or - model[2]) < 1e-7)  # the logistic model has the same odds ratio
case("odds_ratio", "odds_ratio", roles, limits(or, exp(log(or) + c(-1, 1) * z * se_or), 1e-12), "formula; glm(binomial)", pair)

# Tables
for (correction in c(FALSE, TRUE)) {
  test <- suppressWarnings(chisq.test(tab, correct = correction))
  case(paste0("pearson.", correction), "pearson_chi_square", roles,
       list(value("chi_square", test$statistic, 1e-12), value("df", 1, 0), value("p", test$p.value, 1e-11)), "chisq.test",
       c(pair, list(correction = correction)))
}
large <- table(rows$arm, rows$grade); test <- suppressWarnings(chisq.test(large))
by_grade <- list(response = "grade", group = "arm")
case("pearson.grade", "pearson_chi_square", by_grade,
     list(value("chi_square", test$statistic, 1e-12), value("df", test$parameter, 0), value("p", test$p.value, 1e-11)), "chisq.test")
case("fisher.grade", "fisher_exact", by_grade, list(value("p", fisher.test(large)$p.value, 1e-7)), "fisher.test")
by_centre <- list(response = "grade", group = "centre")
case("fisher.centre", "fisher_exact", by_centre,
     list(value("p", fisher.test(table(rows$centre, rows$grade))$p.value, 1e-7)), "fisher.test")
paired <- table(rows$response, rows$again)
for (correction in c(FALSE, TRUE)) {
  test <- mcnemar.test(paired, correct = correction)
  case(paste0("mcnemar.", correction), "mcnemar", list(first = "response", second = "again"),
       list(value("chi_square", test$statistic, 1e-12), value("df", 1, 0), value("p", test$p.value, 1e-11)), "mcnemar.test",
       list(correction = correction))
}
exact <- binom.test(paired[1, 2], paired[1, 2] + paired[2, 1]); ci <- exact$conf.int
case("mcnemar.exact", "mcnemar", list(first = "response", second = "again"),
     list(value("estimate", paired[1, 2] / paired[2, 1], 1e-12), value("p", exact$p.value, 1e-11),
          value("lower", ci[1] / (1 - ci[1]), 1e-7), value("upper", ci[2] / (1 - ci[2]), 1e-7)), "binom.test", list(exact = TRUE))
scores <- c(control = 0, low = 1, high = 3)
counts <- sapply(names(scores), of)
test <- prop.trend.test(counts["x", ], counts["n", ], scores)
case("trend", "cochran_armitage_trend", roles,
     list(value("chi_square", test$statistic, 1e-11), value("df", 1, 0), value("p", test$p.value, 1e-11)), "prop.trend.test",
     list(scores = as.list(scores)))

# Strata
two <- droplevels(rows[rows$arm != "low", ]); two$arm <- factor(two$arm, c("high", "control"))
array <- table(two$arm, factor(two$response, 1:0), two$centre)
test <- mantelhaen.test(array, correct = FALSE)
case("mh.odds_ratio", "mantel_haenszel_odds_ratio", in_strata,
     c(limits(test$estimate, test$conf.int, 1e-12), list(value("p", test$p.value, 1e-11))), "mantelhaen.test(correct = FALSE)", pair)
x1 <- array[1, 1, ]; x0 <- array[2, 1, ]; n1 <- colSums(array[1, , ]); n0 <- colSums(array[2, , ]); n <- n1 + n0
w <- n1 * n0 / n; rd <- sum(w * (x1 / n1 - x0 / n0)) / sum(w)
P <- sum((n1^2 * x0 - n0^2 * x1 + n1 * n0 * (n0 - n1) / 2) / n^2); Q <- sum((x1 * (n0 - x0) + x0 * (n1 - x1)) / (2 * n))
sato <- sqrt((rd * P + Q) / sum(w)^2); gr <- sqrt(sum(w^2 * (x1 * (n1 - x1) / n1^3 + x0 * (n0 - x0) / n0^3)) / sum(w)^2)
for (kind in c("sato", "greenland_robins")) {
  se <- if (kind == "sato") sato else gr
  case(paste0("mh.risk_difference.", kind), "mantel_haenszel_risk_difference", in_strata,
       c(limits(rd, rd + c(-1, 1) * z * se, 1e-12), list(value("se", se, 1e-12))), "formula", c(pair, list(variance = kind)))
}
R <- sum(x1 * n0 / n); S <- sum(x0 * n1 / n); var_rr <- sum((n1 * n0 * (x1 + x0) - x1 * x0 * n) / n^2) / (R * S)
case("mh.risk_ratio", "mantel_haenszel_risk_ratio", in_strata, limits(R / S, R / S * exp(c(-1, 1) * z * sqrt(var_rr)), 1e-12),
     "formula", pair)
psi <- test$estimate; m <- x1 + x0
e <- mapply(function(n1, n0, m) uniroot(function(e) log(e) + log(n0 - m + e) - log(n1 - e) - log(m - e) - log(psi),
                                        c(max(0, m - n0) + 1e-12, min(n1, m) - 1e-12), tol = 1e-15)$root, n1, n0, m)
v <- 1 / (1 / e + 1 / (n1 - e) + 1 / (m - e) + 1 / (n0 - m + e)); bd <- sum((x1 - e)^2 / v)
for (tarone in c(FALSE, TRUE)) {
  chi <- bd - if (tarone) sum(x1 - e)^2 / sum(v) else 0
  case(paste0("breslow_day.", tarone), "breslow_day", in_strata,
       list(value("chi_square", chi, 1e-9), value("df", 2, 0), value("p", pchisq(chi, 2, lower.tail = FALSE), 1e-9)),
       "formula, uniroot", c(pair, list(tarone = tarone)))
}
# Miettinen and Nurminen: constrained shares by maximising the likelihood, limits by uniroot
score <- function(measure, value, x1, n1, x0, n0) {
  p1_of <- switch(measure, difference = function(p) p + value, risk_ratio = function(p) p * value,
                  odds_ratio = function(p) value * p / (1 - p + value * p))
  range <- switch(measure, difference = c(max(0, -value), min(1, 1 - value)), risk_ratio = c(0, min(1, 1 / value)), c(0, 1))
  part <- function(x, p) if (x > 0) x * log(p) else 0
  slope <- function(p) { h <- 1e-6 * min(p - range[1], range[2] - p)
    f <- function(p) part(x1, p1_of(p)) + part(n1 - x1, 1 - p1_of(p)) + part(x0, p) + part(n0 - x0, 1 - p)
    (f(p + h) - f(p - h)) / (2 * h) }
  inside <- range + c(1, -1) * 1e-9 * diff(range)
  best <- optimize(function(p) part(x1, p1_of(p)) + part(n1 - x1, 1 - p1_of(p)) + part(x0, p) + part(n0 - x0, 1 - p),
                   inside, maximum = TRUE, tol = 1e-12)$maximum
  root <- try(uniroot(slope, pmin(pmax(best + c(-1, 1) * 1e-4 * diff(range), inside[1]), inside[2]), tol = 1e-13)$root, TRUE)
  if (!inherits(root, "try-error")) best <- root
  q <- p1_of(best); N <- n1 + n0; b <- N / (N - 1)
  switch(measure, difference = c(x1 / n1 - x0 / n0 - value, (q * (1 - q) / n1 + best * (1 - best) / n0) * b, q, best),
         risk_ratio = c(x1 / n1 - value * x0 / n0, (q * (1 - q) / n1 + value^2 * best * (1 - best) / n0) * b, q, best),
         odds_ratio = c(x1 - n1 * q, 1 / (1 / (n1 * q * (1 - q)) + 1 / (n0 * best * (1 - best))) * b, q, best))
}
one <- function(measure, value) { s <- score(measure, value, a[["x"]], a[["n"]], b[["x"]], b[["n"]]); s[1] / sqrt(s[2]) }
strat <- function(measure, value) {
  s <- mapply(function(x1, n1, x0, n0) score(measure, value, x1, n1, x0, n0), x1, n1, x0, n0)
  if (measure == "odds_ratio") return(sum(s[1, ]) / sqrt(sum(s[2, ])))
  w <- n1 * n0 / n
  for (i in 1:50) { r1 <- sum(w * s[3, ]) / sum(w); r0 <- sum(w * s[4, ]) / sum(w)
    w <- if (measure == "difference") 1 / (r1 * (1 - r1) / (r0 * (1 - r0)) / n1 + 1 / n0) else
      1 / ((1 - r1) / (1 - r0) / n1 + value / n0) }
  sum(w * s[1, ]) / sqrt(sum(w^2 * s[2, ]))
}
solve_for <- function(f, measure, target) {
  if (measure == "difference") uniroot(function(t) f(measure, t) - target, c(-0.95, 0.95), tol = 1e-13)$root else
    exp(uniroot(function(t) f(measure, exp(t)) - target, c(-5, 6), tol = 1e-13)$root)
}
for (measure in c("difference", "risk_ratio", "odds_ratio")) {
  estimate <- switch(measure, difference = d, risk_ratio = rr, odds_ratio = or)
  ci <- c(solve_for(one, measure, z), solve_for(one, measure, -z))
  zero <- one(measure, if (measure == "difference") 0 else 1)
  case(paste0("mn.", measure), "miettinen_nurminen", roles,
       c(list(value("estimate", estimate, 1e-12), value("lower", ci[1], 1e-7), value("upper", ci[2], 1e-7), value("z", zero, 1e-7))),
       "likelihood by optimize, limits by uniroot", c(pair, list(measure = measure)))
  ci <- c(solve_for(strat, measure, 0), solve_for(strat, measure, z), solve_for(strat, measure, -z))
  case(paste0("mn.strata.", measure), "miettinen_nurminen", in_strata,
       list(value("estimate", ci[1], 1e-7), value("lower", ci[2], 1e-7), value("upper", ci[3], 1e-7),
            value("p", test$p.value, 1e-11)),  # at equality the score test is the Cochran-Mantel-Haenszel test
       "likelihood by optimize, limits by uniroot; p of mantelhaen.test", c(pair, list(measure = measure)))
}
# Stratified Newcombe, Yan and Su (2010)
wilson_at <- function(x, n, z) (x + z^2 / 2 + c(-1, 1) * z * sqrt(x * (n - x) / n + z^2 / 4)) / (n + z^2)
weights <- w / sum(w)
stratified <- function(x, n) { p <- x / n; v <- p * (1 - p) / n
  q <- z * sqrt(sum(weights^2 * v)) / sum(weights * sqrt(v)); l <- mapply(wilson_at, x, n, q); c(sum(weights * l[1, ]), sum(weights * l[2, ])) }
s1 <- stratified(x1, n1); s0 <- stratified(x0, n0); l1 <- sum(weights^2 / n1); l0 <- sum(weights^2 / n0)
ci <- c(rd - z * sqrt(l1 * s1[1] * (1 - s1[1]) + l0 * s0[2] * (1 - s0[2])), rd + z * sqrt(l1 * s1[2] * (1 - s1[2]) + l0 * s0[1] * (1 - s0[1])))
case("newcombe.strata", "newcombe", in_strata, limits(rd, ci, 1e-12), "formula", pair)
# Cochran-Mantel-Haenszel
graded <- list(response = "grade", group = "arm", strata = list("centre"))
all3 <- table(rows$arm, rows$grade, rows$centre); test <- mantelhaen.test(all3)
expect <- function(chi, df, tol = 1e-10) list(value("chi_square", chi, tol), value("df", df, 0),
                                              value("p", pchisq(chi, df, lower.tail = FALSE), tol))
case("cmh.general", "cmh", graded, expect(test$statistic, test$parameter), "mantelhaen.test", list(statistic = "general_association"))
rows$g <- ordered(rows$grade)
means <- cmh_test(g ~ arm | centre, rows, scores = list(g = 1:4))
case("cmh.means", "cmh", graded, expect(statistic(means), 2), "coin::cmh_test(scores for the response)", list(statistic = "row_mean_scores"))
rows$o <- ordered(rows$arm, names(scores))
linear <- cmh_test(g ~ o | centre, rows, scores = list(g = 1:4, o = scores))
case("cmh.correlation", "cmh", graded, expect(statistic(linear)^(if (is(linear@statistic, "ScalarIndependenceTestStatistic")) 2 else 1), 1),
     "coin::cmh_test(scores for both)", list(statistic = "nonzero_correlation", group_scores = as.list(scores)))
rows$ridit <- ave(rows$grade, rows$centre, FUN = function(x) rank(x) / (length(x) + 1))
elteren <- independence_test(ridit ~ arm | centre, rows, teststat = "quadratic")
case("cmh.modified_ridit", "cmh", graded, expect(statistic(elteren), 2), "coin::independence_test of rank/(n + 1)",
     list(statistic = "row_mean_scores", response_scores = "modified_ridit"))
