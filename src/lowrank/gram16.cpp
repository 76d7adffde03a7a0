#include <cmath>

#include "core/cpu.hpp"
#include "lowrank/gram16_loops.hpp"

namespace koine::lowrank {
namespace {

/// One sum at a time: a pair of terms is two halves of 32 bits.
struct PortableLane {
  using Vector = std::int32_t;
  static constexpr int kRegisters = 16, kRows = 4, kVectors = 4;
  static Vector load(const TermPair* p) { return static_cast<Vector>(*p); }
  static Vector load(const std::int32_t* p) { return *p; }
  static void store(std::int32_t* p, Vector x) { *p = x; }
  static Vector broadcast(const TermPair* p) { return static_cast<Vector>(*p); }
  static constexpr bool kCrosses = false;
  static Vector low(Vector x) { return static_cast<std::int16_t>(x & 0xFFFF); }
  static Vector high(Vector x) { return x >> 16; }
  static Vector product(Vector a, Vector b) { return low(a) * low(b) + high(a) * high(b); }
  static Vector add_products(Vector sum, const gram16::Pairs<PortableLane>& a,
                             const gram16::Pairs<PortableLane>& b) {
    return sum + (product(a.even, b.even) + product(a.odd, b.odd));
  }

  using Floats = float;
  static constexpr int kFloats = 16;
  static Floats load(const float* p) { return *p; }
  static Floats broadcast(const float* p) { return *p; }
  static Floats minus_product(Floats x, Floats a, Floats b) { return std::fma(-a, b, x); }
  static Floats larger(Floats x, Floats y) { return std::fmax(x, std::fabs(y)); }

  using Doubles = double;
  static constexpr int kHalves = 1;
  static void add_squares(Floats x, Doubles* sums) {
    *sums += static_cast<double>(x) * static_cast<double>(x);
  }
};

Gram16Variants find_variants() {
  Gram16Variants variants{{{"avx512vnni"}, {"avx2"}, gram16_portable()}};
#if defined(__x86_64__)
  if (cpu_has_avx512vnni()) variants.all[0] = gram16_avx512vnni();
  if (cpu_has_avx2()) variants.all[1] = gram16_avx2();
#endif
  return variants;
}

}  // namespace

Gram16Variant gram16_portable() {
  return {"portable", gram16::tile<PortableLane>, gram16::lengths<PortableLane>,
          gram16::round<PortableLane>, gram16::without<PortableLane>};
}

const Gram16Variants& gram16_variants() {
  static const Gram16Variants kVariants = find_variants();
  return kVariants;
}

const Gram16Variant& fastest_gram16() {
  static const Gram16Variant kChosen = [] {
    for (const Gram16Variant& variant : gram16_variants().all) {
      if (variant.tile != nullptr) return variant;
    }
    return gram16_portable();
  }();
  return kChosen;
}

}  // namespace koine::lowrank
