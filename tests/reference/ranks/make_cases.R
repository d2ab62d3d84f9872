# Rscript make_cases.R > cases.jsonl, in this folder: rank tests, analysis of variance, descriptive statistics and a permutation test.
# See README.md for the data and the tolerances.
source("../case_writer.R")
stopifnot(requireNamespace("coin"))

two <- function(level, minus) list(level = level, minus = minus)
pairs_u <- function(x, y) sum(outer(x, y, ">")) + sum(outer(x, y, "==")) / 2
jt <- function(values) {  # a list of samples in their order
  total <- 0
  for (i in seq_along(values)) for (j in seq_along(values)) if (i < j) total <- total + pairs_u(values[[j]], values[[i]])
  total
}
doubled <- function(null, observed) min(1, 2 * min(mean(null <= observed), mean(null >= observed)))

## Rank sum and shift: Beat the Blues at 2 months (ties) and 15 numbers (none, and many)
btheb <- read.csv("../btheb/btheb.csv", stringsAsFactors = FALSE)
arm <- function(column, treatment) { x <- btheb[[column]][btheb$treatment == treatment]; x[!is.na(x)] }
b <- arm("bdi.2m", "BtheB"); t <- arm("bdi.2m", "TAU")
roles <- list(response = "bdi.2m", group = "treatment")
for (correct in c(FALSE, TRUE)) {
  w <- suppressWarnings(wilcox.test(b, t, exact = FALSE, correct = correct))
  write_case(sprintf("btheb.wilcoxon_rank_sum.correct_%s", correct), "wilcoxon_rank_sum", "btheb/btheb.csv", roles,
             list(value("statistic", w$statistic[[1]], 0), value("p", w$p.value, 1e-10)),
             sprintf("wilcox.test(BtheB, TAU, exact = FALSE, correct = %s) of bdi.2m", correct),
             list(difference = two("BtheB", "TAU"), correction = correct))
}
less <- suppressWarnings(wilcox.test(b, t, exact = FALSE, correct = TRUE, alternative = "less"))
write_case("btheb.wilcoxon_rank_sum.less", "wilcoxon_rank_sum", "btheb/btheb.csv", roles, list(value("p", less$p.value, 1e-10)),
           "wilcox.test(BtheB, TAU, exact = FALSE, correct = TRUE, alternative = 'less') of bdi.2m",
           list(difference = two("BtheB", "TAU"), correction = TRUE, alternative = "less"))
write_case("btheb.hodges_lehmann", "hodges_lehmann", "btheb/btheb.csv", roles, list(value("estimate", median(outer(b, t, "-")), 0)),
           "median(outer(BtheB, TAU, '-')) of bdi.2m", list(difference = two("BtheB", "TAU")))

small <- read.csv("small.csv", stringsAsFactors = FALSE)
s <- function(column, sample) small[[column]][small$sample == sample]
x <- s("value", "x"); y <- s("value", "y")
w <- wilcox.test(x, y, exact = TRUE, conf.int = TRUE, conf.level = 0.9)
write_case("ranks.wilcoxon_rank_sum.exact", "wilcoxon_rank_sum", "ranks/small.csv", list(response = "value", group = "sample"),
           list(value("statistic", w$statistic[[1]], 0), value("p", w$p.value, 1e-12)), "wilcox.test(x, y, exact = TRUE)",
           list(difference = two("x", "y"), exact = TRUE))
write_case("ranks.hodges_lehmann", "hodges_lehmann", "ranks/small.csv", list(response = "value", group = "sample"),
           list(value("estimate", w$estimate[[1]], 1e-15), value("lower", w$conf.int[1], 1e-15), value("upper", w$conf.int[2], 1e-15)),
           "wilcox.test(x, y, exact = TRUE, conf.int = TRUE, conf.level = 0.9)", list(difference = two("x", "y"), level = 0.9))
r <- rank(small$tied); all <- combn(15, 10)
null <- colSums(matrix(r[all], 10)) - 55; u <- pairs_u(s("tied", "x"), s("tied", "y"))
write_case("ranks.wilcoxon_rank_sum.exact_ties", "wilcoxon_rank_sum", "ranks/small.csv", list(response = "tied", group = "sample"),
           list(value("statistic", u, 0), value("p", doubled(null, u), 1e-12)), "all 3003 ways to choose 10 of 15 midranks (combn)",
           list(difference = two("x", "y"), exact = TRUE))

## Van Elteren: within each stratum the permutation moments of coin's linear statistic of midranks
d <- btheb[!is.na(btheb$bdi.2m), ]
score <- numeric(nrow(d))
for (h in unique(d$drug)) { i <- d$drug == h; score[i] <- rank(d$bdi.2m[i]) / (sum(i) + 1) }
test <- coin::independence_test(score ~ factor(treatment, c("BtheB", "TAU")) | factor(drug), data = cbind(d, score = score))
write_case("btheb.van_elteren", "van_elteren", "btheb/btheb.csv", list(response = "bdi.2m", group = "treatment", strata = list("drug")),
           list(value("z", coin::statistic(test)[[1]], 1e-12), value("p", coin::pvalue(test)[[1]], 1e-11)),
           "coin independence_test of rank/(n_h + 1) in each stratum, given the strata", list(difference = two("BtheB", "TAU")))

## Signed rank and sign test: change from baseline to 2 months is no column, so the values at 2 months against 15
v <- btheb$bdi.2m[!is.na(btheb$bdi.2m)]
w <- suppressWarnings(wilcox.test(v, mu = 15, exact = FALSE, correct = TRUE))
write_case("btheb.wilcoxon_signed_rank.drop", "wilcoxon_signed_rank", "btheb/btheb.csv", list(response = "bdi.2m"),
           list(value("statistic", w$statistic[[1]], 0), value("p", w$p.value, 1e-11)), "wilcox.test(bdi.2m, mu = 15, exact = FALSE, correct = TRUE)",
           list(mu = 15, correction = TRUE))
p <- coin::wilcoxsign_test(v ~ rep(15, length(v)), zero.method = "Pratt")
write_case("btheb.wilcoxon_signed_rank.pratt", "wilcoxon_signed_rank", "btheb/btheb.csv", list(response = "bdi.2m"),
           list(value("z", coin::statistic(p)[[1]], 1e-12), value("p", coin::pvalue(p)[[1]], 1e-11)), "coin wilcoxsign_test(bdi.2m ~ 15, zero.method = 'Pratt')",
           list(mu = 15, zeros = "pratt"))
w <- wilcox.test(small$value, mu = 1, exact = TRUE)
write_case("ranks.wilcoxon_signed_rank.exact", "wilcoxon_signed_rank", "ranks/small.csv", list(response = "value"),
           list(value("statistic", w$statistic[[1]], 0), value("p", w$p.value, 1e-12)), "wilcox.test(value, mu = 1, exact = TRUE)", list(mu = 1, exact = TRUE))
dist <- small$tied - 3; dist <- dist[dist != 0]; r <- rank(abs(dist)); signs <- as.matrix(expand.grid(rep(list(0:1), length(r))))
null <- drop(signs %*% r); obs <- sum(r[dist > 0])
write_case("ranks.wilcoxon_signed_rank.exact_ties", "wilcoxon_signed_rank", "ranks/small.csv", list(response = "tied"),
           list(value("statistic", obs, 0), value("n", length(r), 0), value("p", doubled(null, obs), 1e-12)), "all signs of the midranks (expand.grid)", list(mu = 3, exact = TRUE))
n <- sum(v != 15); k <- sum(v > 15)
write_case("btheb.sign_test", "sign_test", "btheb/btheb.csv", list(response = "bdi.2m"),
           list(value("statistic", k, 0), value("n", n, 0), value("p", binom.test(k, n)$p.value, 1e-11)), "binom.test of bdi.2m above 15", list(mu = 15))

## Several groups: the doses of the biom trial, and small samples with ties
biom <- read.csv("../biom/biom.csv", colClasses = c("character", "numeric"))
order <- c("0", "0.05", "0.2", "0.6", "1")
g <- factor(biom$dose, order)
roles <- list(response = "resp", group = "dose")
w <- kruskal.test(biom$resp, g)
write_case("biom.kruskal_wallis", "kruskal_wallis", "biom/biom.csv", roles,
           list(value("chi_square", w$statistic[[1]], 1e-12), value("df", 4, 0), value("p", w$p.value, 1e-11)), "kruskal.test(resp, dose)")
w <- kruskal.test(small$tied, factor(small$dose))
write_case("ranks.kruskal_wallis", "kruskal_wallis", "ranks/small.csv", list(response = "tied", group = "dose"),
           list(value("chi_square", w$statistic[[1]], 1e-12), value("df", 2, 0), value("p", w$p.value, 1e-11)), "kruskal.test(tied, dose)")
for (equal in c(TRUE, FALSE)) {
  f <- oneway.test(resp ~ g, biom, var.equal = equal)
  write_case(sprintf("biom.one_way_anova.%s", if (equal) "equal" else "welch"), "one_way_anova", "biom/biom.csv", roles,
             list(value("f", f$statistic[[1]], 1e-11), value("df", f$parameter[[1]], 0), value("residual_df", f$parameter[[2]], 1e-11),
                  value("p", f$p.value, 1e-9)), sprintf("oneway.test(resp ~ dose, var.equal = %s)", equal),
             if (equal) NULL else list(variance = "welch"))
}
# Without ties the null mean and variance are elementary; with ties they are computed over all 630630 ways to deal the values out:
# 15!/(5! 4! 6!).
trend <- function(values, groups) {
  n <- length(values); sizes <- table(groups)
  j <- jt(split(values, groups))
  list(j = j, z = (j - (n^2 - sum(sizes^2)) / 4) / sqrt((n^2 * (2 * n + 3) - sum(sizes^2 * (2 * sizes + 3))) / 72))
}
w <- trend(biom$resp, g)
write_case("biom.jonckheere_terpstra", "jonckheere_terpstra", "biom/biom.csv", roles,
           list(value("statistic", w$j, 0), value("z", w$z, 1e-12), value("p", 2 * pnorm(-abs(w$z)), 1e-11)),
           "double loop; mean and variance without ties, Jonckheere (1954)", list(order = as.list(order)))
sizes <- table(factor(small$dose, c("low", "mid", "high")))
null <- unlist(combn(15, sizes[["low"]], function(low) {
  rest <- setdiff(1:15, low)
  combn(length(rest), sizes[["mid"]], function(m) jt(list(small$tied[low], small$tied[rest[m]], small$tied[rest[-m]])))
}, simplify = FALSE))
j <- jt(split(small$tied, factor(small$dose, c("low", "mid", "high"))))
z <- (j - mean(null)) / sqrt(mean((null - mean(null))^2))
doses <- list("low", "mid", "high")
write_case("ranks.jonckheere_terpstra.ties", "jonckheere_terpstra", "ranks/small.csv", list(response = "tied", group = "dose"),
           list(value("statistic", j, 0), value("z", z, 1e-10), value("p", 2 * pnorm(-abs(z)), 1e-10)),
           sprintf("mean and variance over all %d ways to deal the values out (combn)", length(null)), list(order = doses))
write_case("ranks.jonckheere_terpstra.exact_ties", "jonckheere_terpstra", "ranks/small.csv", list(response = "tied", group = "dose"),
           list(value("statistic", j, 0), value("p", doubled(null, j), 1e-12)),
           sprintf("all %d ways to deal the values out (combn)", length(null)), list(order = doses, exact = TRUE))

## Descriptive statistics
for (type in c(2, 7)) {
  expect <- list()
  for (name in c("BtheB", "TAU")) {
    x <- arm("bdi.8m", name); at <- list(group = name)
    expect <- c(expect, list(value("n", length(x), 0, at), value("mean", mean(x), 1e-14, at), value("sd", sd(x), 1e-14, at),
                             value("median", median(x), 0, at), value("min", min(x), 0, at), value("max", max(x), 0, at)))
    for (q in c(0.1, 0.25, 0.75)) expect <- c(expect, list(value("quantile", quantile(x, q, type = type)[[1]], 1e-14, list(group = name, prob = q))))
  }
  x <- btheb$bdi.8m[!is.na(btheb$bdi.8m)]
  expect <- c(expect, list(value("mean", mean(x), 1e-14), value("n", length(x), 0)))
  write_case(sprintf("btheb.descriptive.type_%d", type), "descriptive", "btheb/btheb.csv", list(response = "bdi.8m", group = "treatment"),
             expect, sprintf("quantile(type = %d), mean, sd", type), list(quantile_definition = if (type == 2) "sas_5" else "r_7", probs = list(0.1, 0.25, 0.75)))
}
write_case("ranks.descriptive.geometric_mean", "descriptive", "ranks/small.csv", list(response = "value"),
           list(value("geometric_mean", exp(mean(log(small$value))), 1e-14)), "exp(mean(log(value)))", list(geometric_mean = TRUE))

## Permutation test: coin's exact distribution of the sum of scores is two-sided by the distance from the mean, as ours
x <- s("value", "x"); y <- s("value", "y")
test <- coin::oneway_test(value ~ factor(sample), small, distribution = "exact")
write_case("ranks.permutation_test.means", "permutation_test", "ranks/small.csv", list(response = "value", group = "sample"),
           list(value("estimate", mean(x) - mean(y), 1e-14), value("p", coin::pvalue(test)[[1]], 1e-12), value("n_reallocations", choose(15, 5), 0)),
           "coin oneway_test(value ~ sample, distribution = 'exact')", list(difference = two("x", "y"), exact = TRUE))
# Within strata by listing every combination of the ways to choose within each.
sums <- lapply(split(small, small$dose), function(h) {
  r <- rank(h$tied) / (nrow(h) + 1); colSums(matrix((r - mean(r))[combn(nrow(h), sum(h$sample == "x"))], sum(h$sample == "x")))
})
obs <- sum(sapply(split(small, small$dose), function(h) { r <- rank(h$tied) / (nrow(h) + 1); sum((r - mean(r))[h$sample == "x"]) }))
null <- rowSums(expand.grid(sums))
write_case("ranks.permutation_test.strata", "permutation_test", "ranks/small.csv", list(response = "tied", group = "sample", strata = list("dose")),
           list(value("statistic", obs, 1e-12), value("p", mean(abs(null) >= abs(obs) - 1e-9), 1e-12), value("n_reallocations", length(null), 0)),
           "all combinations of the ways within each stratum (combn, expand.grid)",
           list(difference = two("x", "y"), statistic = "rank_sum", exact = TRUE))
