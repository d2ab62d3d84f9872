# What beat_the_blues_test.cpp expects of examples/beat-the-blues, without this program: Rscript expected.R, in this folder.
# R 4.2.2; nlme 3.1-162, lme4 1.1-31. Imputation is written out below: no package of it is used.
suppressPackageStartupMessages({ library(nlme); library(lme4) })
raw <- read.csv("../../../examples/beat-the-blues/btheb.csv")
months <- c(2, 3, 5, 8); columns <- paste0("bdi.", months, "m")
long <- do.call(rbind, lapply(1:4, function(v) with(raw, data.frame(id = subject, arm = factor(treatment, c("TAU", "BtheB")), v = v,
  month = months[v], bdi = raw[[columns[v]]], base = bdi.pre, drug = as.numeric(drug == "Yes"), long = as.numeric(length == ">6m")))))
long <- long[order(long$id, long$v), ]; long$visit <- factor(long$v)
show <- function(label, ...) cat(sprintf("%-36s %s\n", label, paste(format(c(...), digits = 15), collapse = " ")))
control <- glsControl(tolerance = 1e-13, msTol = 1e-16, maxIter = 500, msMaxIter = 2000, opt = "optim", optimMethod = "BFGS")
contrast <- function(m, terms) {
  l <- as.numeric(names(coef(m)) %in% terms); c(sum(l * coef(m)), sqrt(drop(t(l) %*% vcov(m) %*% l)))
}
cat("observed\n"); print(with(long, tapply(!is.na(bdi), list(arm, month), sum)))

# a01, a02: the model of every visit
model <- bdi ~ arm * visit + base * visit + drug + long
seen <- subset(long, !is.na(bdi))
a01 <- gls(model, seen, correlation = corSymm(form = ~ v | id), weights = varIdent(form = ~ 1 | visit), control = control)
for (k in 1:4) show(paste("a01 difference at month", months[k]), contrast(a01, c("armBtheB", if (k > 1) paste0("armBtheB:visit", k))))
show("a01 -2 log restricted likelihood", -2 * as.numeric(logLik(a01)))
a02 <- gls(model, seen, correlation = corAR1(form = ~ v | id), weights = varIdent(form = ~ 1 | visit), control = control)
show("a02 difference at month 8", contrast(a02, c("armBtheB", "armBtheB:visit4")))

# a03: baseline is a response, with one mean
grid <- rbind(with(subset(long, v == 1), data.frame(id, v = 0, bdi = base, arm, drug, long)), long[c("id", "v", "bdi", "arm", "drug", "long")])
grid <- subset(grid[order(grid$id, grid$v), ], !is.na(bdi)); grid$visit <- factor(grid$v); grid$at <- grid$v + 1
for (k in 1:4) grid[[paste0("d", k)]] <- as.numeric(grid$arm == "BtheB" & grid$v == k)
a03 <- gls(bdi ~ visit + d1 + d2 + d3 + d4 + drug + long, grid, correlation = corSymm(form = ~ at | id), weights = varIdent(form = ~ 1 | visit), control = control)
show("a03 difference at month 8", contrast(a03, "d4"))

# a04 to a07: means of the missing values given the observed ones, analysis of covariance at month 8; each participant left out.
Y <- as.matrix(raw[columns]); n <- nrow(raw); treated <- as.numeric(raw$treatment == "BtheB")
cov3 <- cbind(raw$bdi.pre, as.numeric(raw$drug == "Yes"), as.numeric(raw$length == ">6m"))
design <- function(arm, i) {  # 4 rows, one a visit, of participant i as if in this arm
  V <- diag(4); cbind(V, arm * V, cov3[i, 1] * V, cov3[i, 2], cov3[i, 3])
}
own <- lapply(1:n, function(i) design(treated[i], i)); usual <- lapply(1:n, function(i) design(0, i))
sigma_of <- function(t) { L <- matrix(0, 4, 4); L[lower.tri(L, TRUE)] <- t; diag(L) <- exp(diag(L)); tcrossprod(L) }
kept <- rowSums(!is.na(Y))  # dropout is monotone
stopifnot(all(sapply(1:n, function(i) all(is.na(Y[i, ]) == (1:4 > kept[i])))))
# The likelihood needs x x', x y and y y at each two visits, summed over those who stayed to the same visit.
sums <- function(who) lapply(1:4, function(k) {
  of <- who[kept[who] == k]
  z <- lapply(1:k, function(v) do.call(rbind, lapply(of, function(i) c(own[[i]][v, ], Y[i, v]))))
  list(n = length(of), cross = lapply(1:k, function(v) lapply(1:k, function(w) crossprod(z[[v]], z[[w]]))))
})
solve_gls <- function(S, by) {
  all <- matrix(0, 15, 15); ll <- 0
  for (k in 1:4) {
    W <- solve(S[1:k, 1:k, drop = FALSE]); ll <- ll + by[[k]]$n * as.numeric(determinant(S[1:k, 1:k, drop = FALSE])$modulus)
    for (v in 1:k) for (w in 1:k) all <- all + W[v, w] * by[[k]]$cross[[v]][[w]]
  }
  A <- all[1:14, 1:14]; b <- all[1:14, 15]; beta <- solve(A, b)
  list(beta = beta, value = ll + as.numeric(determinant(A)$modulus) + all[15, 15] - sum(b * beta))
}
fit <- function(who, start) {
  by <- sums(who)
  value <- function(t) tryCatch(solve_gls(sigma_of(t), by)$value, error = function(e) 1e10)  # a step too long
  t <- start
  for (again in 1:2) t <- optim(t, value, method = "BFGS", control = list(reltol = 1e-15, maxit = 500, ndeps = rep(1e-4, 10)))$par
  t
}
complete <- function(strategy, S, beta) {
  out <- Y
  for (i in which(kept < 4)) {
    mu <- drop(own[[i]] %*% beta); ref <- drop(usual[[i]] %*% beta); k <- kept[i]; miss <- (k + 1):4; mean <- mu
    if (strategy == "jump") mean[miss] <- ref[miss]
    if (strategy == "copy") mean <- ref
    if (strategy == "increments") mean[miss] <- if (k > 0) mu[k] + ref[miss] - ref[k] else ref[miss]
    out[i, miss] <- mean[miss] + if (k > 0) drop(S[miss, 1:k, drop = FALSE] %*% solve(S[1:k, 1:k, drop = FALSE], Y[i, 1:k] - mean[1:k])) else 0
  }
  out
}
strategies <- c("random", "increments", "copy", "jump")
differences <- function(who, start) {
  t <- fit(who, start); S <- sigma_of(t); beta <- solve_gls(S, sums(who))$beta
  sapply(strategies, function(s) { z <- complete(s, S, beta)[who, 4]; coef(lm(z ~ treated[who] + cov3[who, ]))[[2]] })
}
S <- getVarCov(a01, individual = raw$subject[kept == 4][1], type = "marginal"); L <- t(chol(matrix(S, 4, 4)))
start <- L; diag(start) <- log(diag(L)); start <- fit(1:n, start[lower.tri(start, TRUE)])
estimates <- differences(1:n, start)
without <- sapply(1:n, function(i) differences(setdiff(1:n, i), start))
se <- sqrt((n - 1) / n * rowSums((without - rowMeans(without))^2))
for (s in strategies) show(paste("imputed,", s, ": difference, se"), estimates[s], se[s])

# a08 to a10
ancova <- function(y) summary(lm(y ~ treated + cov3))$coefficients[2, ]
show("a08 month 8 as seen", ancova(Y[, 4]))
last <- sapply(1:n, function(i) if (kept[i]) Y[i, kept[i]] else NA)
show("a09 last value", ancova(last))
a10 <- lmer(bdi ~ base + month + arm + drug + long + (1 | id), seen, REML = FALSE, control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-12)))
show("a10 effect, se, month", fixef(a10)["armBtheB"], sqrt(vcov(a10)["armBtheB", "armBtheB"]), fixef(a10)["month"])
show("a10 variances, -2 log likelihood", as.data.frame(VarCorr(a10))$vcov, -2 * as.numeric(logLik(a10)))
