#pragma once

#include <cstdint>

#include "lowrank/aligned.hpp"
#include "lowrank/block_qr.hpp"

namespace koine::lowrank {

/// An orthonormal basis Q of a Krylov space and what G does in it: G Q = Q H + Q_next [0 .. 0 B].
struct KrylovSpace {
  std::int64_t blocks = 0;         ///< that Q was built of
  std::int64_t columns = 0;        ///< of Q
  std::int64_t last_width = 0;     ///< columns of the last block
  std::int64_t coupling_rows = 0;  ///< rows of B; 0 where G Q lies in the span of Q
  std::int64_t lead = 0;           ///< leading dimension of H
  Scratch<double> basis;           ///< Q [short, columns] column-major
  Scratch<double> projection;      ///< H [columns, columns], upper triangle, column-major
  Scratch<double> coupling;        ///< B [coupling_rows, last_width] column-major
  std::int64_t pairs = 0;          ///< eigenpairs of H that were found, the largest
  Scratch<double> ritz;            ///< their vectors [columns, pairs] column-major, descending
  Scratch<double> ritz_values;
  Scratch<double> ritz_residuals;  ///< |B y|, y their part in the last block;
                                   ///< not where a look sufficed
  bool is_judged = false;          ///< a look sufficed, so that project_and_judge has run
  Scratch<double> inner, small;    ///< for one step
  BlockQrScratch qr;
};

/// A Gram matrix K of integers (rounded_gram.hpp) and what is known by it of G.
struct Coarse {
  Scratch<float> gram;  ///< K in panels of 64 columns, rows filled up to whole strips
  double squared = 0;   ///< |K|_F^2
  double lost = 0;      ///< of A: at least |E|_F
  double error = 0;     ///< of K itself: at least |K - A' A'^T|_F
  KrylovSpace space;    ///< of K
  double without = 0;   ///< at least |P K P|_F, P = I - U U^T, U the rung's pairs of that space
};

}  // namespace koine::lowrank
