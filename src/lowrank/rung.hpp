#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "lowrank/truncated_svd.hpp"

namespace koine::lowrank {

/// What is known of a solver's first triplets.
struct Verdict {
  std::int64_t asked = 0;  ///< triplets that were asked for
  std::int64_t kept = 0;   ///< of these, those that float64 can tell from zero
  double residual = std::numeric_limits<double>::infinity();
  bool is_accurate = false;
  std::string certificate{};  ///< which proof holds; empty: none

  [[nodiscard]] bool passes(Mode mode) const noexcept {
    return is_accurate && (mode == Mode::fast || !certificate.empty());
  }
};

/// One solver's answer to a rung.
struct RungAnswer {
  std::string method;  ///< "host:krylov"
  bool has_converged = false;
  std::int64_t blocks = 0;  ///< of a Krylov basis
  std::vector<double>
      values;            ///< squares of singular values, descending: rung + 1 where they exist
  std::vector<float> u;  ///< [short side, width] row-major; empty where no verdict needs it
  std::vector<float> b;  ///< [width, long side] row-major
  std::vector<Verdict> verdicts;

  [[nodiscard]] const Verdict* verdict(std::int64_t asked) const noexcept;
};

/// What the solvers said of one rung of one matrix, in the order they were tried: the factors of
/// any rank that has a verdict are cut from it, with the bits of a factorisation for that rank
/// alone.
struct Rung {
  std::int64_t rows = 0, cols = 0;  ///< of tau
  std::int64_t rung = 0;
  double tau_squared = 0;     ///< |tau|_F^2 > 0
  bool is_exhausted = false;  ///< there is no solver left to try
  std::vector<RungAnswer> answers;
};

/// Where the rungs of one matrix are kept from one factorisation to the next.
struct RungStore {
  std::function<std::optional<Rung>(std::int64_t rung)> find;
  std::function<void(const Rung&)> keep;  ///< takes the place of what was kept for this rung
  std::vector<RankTarget> also;           ///< will be asked for later: judged at once
};

/// What a rung says of a target.
struct Cut {
  enum class Kind : std::uint8_t {
    found,
    climbs,  ///< the target needs `asked` triplets, more than this rung has
    unknown  ///< nobody has looked yet
  } kind = Kind::unknown;
  std::int64_t asked = 0;
  Factors factors;
};

/// The first answer that passes; where none does and no solver is left, the last one as it is.
[[nodiscard]] Cut cut(const Rung& rung, const RankTarget& target, Mode mode);

/// How many of these values the target asks for; rung + 1 where an energy target needs more than
/// the rung has.
[[nodiscard]] std::int64_t pairs_asked(const Rung& rung, const std::vector<double>& values,
                                       const RankTarget& target);

}  // namespace koine::lowrank
