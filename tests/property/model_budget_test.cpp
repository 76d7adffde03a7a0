#include <cmath>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "sparse/keep_largest.hpp"

namespace koine::sparse {
namespace {

std::vector<float> values(std::size_t size, std::uint64_t seed, bool is_tied) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> x(size);
  for (float& v : x) v = is_tied ? std::round(normal(generator)) : normal(generator);
  return x;
}

/// Where `size` elements are cut into matrices, some of them empty.
std::vector<std::size_t> cuts(std::size_t size, std::uint64_t seed) {
  std::mt19937_64 generator(seed);
  std::vector<std::size_t> at{0};
  while (at.back() < size) at.push_back(std::min(size, at.back() + generator() % (size / 3 + 1)));
  return at;
}

/// M under one budget over the pieces between the cuts, counted from the last to the first.
std::vector<float> in_pieces(const std::vector<float>& tau, std::vector<float> low, std::int64_t k,
                             const std::vector<std::size_t>& at) {
  const auto piece = [&](auto& all, std::size_t i) {
    return std::span(all).subspan(at[i], at[i + 1] - at[i]);
  };
  const std::vector<float> before = low;
  Search search{.left = k};
  while (search.digit < kDigitCount) {
    Bins bins{};
    for (std::size_t i = at.size() - 1; i-- > 0;)
      count_digit(piece(tau, i), piece(before, i), search, bins);
    search.narrow(bins);
  }
  std::vector<Standing> standings;
  for (std::size_t i = 0; i + 1 < at.size(); ++i)
    standings.push_back(compare_with(piece(tau, i), piece(before, i), search.key));
  const auto shares = share_out(search, standings);
  std::int64_t kept = 0;
  for (std::size_t i = 0; i + 1 < at.size(); ++i)
    kept += take_kept(piece(tau, i), piece(low, i), shares[i]);
  EXPECT_EQ(kept, k);
  return low;
}

/// One budget over any cut of the entries keeps what one matrix of all of them would keep.
TEST(ModelBudget, DoesNotDependOnTheCut) {
  for (const bool is_tied : {false, true}) {
    const auto tau = values(5000, 1, is_tied), low = values(5000, 2, is_tied);
    for (const std::int64_t k : {1, 7, 1000, 2500, 4999, 5000}) {
      auto want = low;
      ASSERT_EQ(take_kept(tau, want, kth_largest(tau, low, k)), k);
      for (std::uint64_t seed = 0; seed < 20; ++seed)
        ASSERT_EQ(in_pieces(tau, low, k, cuts(tau.size(), seed)), want) << k << ' ' << seed;
    }
  }
}

}  // namespace
}  // namespace koine::sparse
