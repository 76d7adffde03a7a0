#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace koine::recipe {

/// A merge method as far as a recipe knows it. Adding a method is one row here.
struct Method {
  std::string_view name;
  bool needs_base;   ///< it adds task vectors to the base; a base listed among models is skipped
  bool has_factors;  ///< uses svd
  bool is_share_of_experts;                  ///< lambda is 1/experts by default
  bool normalize;                            ///< default of normalize, where it is used
  std::vector<std::string_view> parameters;  ///< the ones it uses
  std::vector<std::string> select;           ///< default; empty: it works on every tensor alike
  [[nodiscard]] bool uses(std::string_view parameter) const;
};

/// The method of this name, or nullptr.
[[nodiscard]] const Method* find_method(std::string_view name);

/// Why a method's name cannot be used: another version's method, or a slip with the nearest name.
[[nodiscard]] std::string unknown_method(std::string_view name);

}  // namespace koine::recipe
