#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "recipe/document.hpp"
#include "recipe/problems.hpp"
#include "recipe/sweep.hpp"

namespace koine::recipe {

/// A sweep file while it is being read: what the readers of its sections share.
struct SweepReading {
  Problems& problems;
  Sweep sweep;
  std::filesystem::path folder;                      ///< of the sweep file
  std::optional<std::vector<ModelEntry>> experts{};  ///< absent where the recipe does not give them
  std::set<std::pair<int, int>> misfits{};  ///< line and column of weights that fit no subset
};

/// One value of a swept name, as points hold it.
struct SweptValue {
  std::string name;
  std::string text;      ///< as in SweepPoint::settings
  std::string override;  ///< as in SweepPoint::overrides; empty for experts and weights
  std::optional<std::vector<std::string>> experts;
  std::optional<std::vector<double>> weights;
  Place place;
};

/// @pre name is one of swept_names() without experts and weights; the value is sound
[[nodiscard]] SweptValue make_value(const std::string& name, const Node& node);

/// Checks the value as the recipe's reader would, with the sweep file's place in each message.
/// @return nothing where it is of no use at all
/// @pre name is one of swept_names(); the value is not null
[[nodiscard]] std::optional<SweptValue> read_value(const std::string& name, const Node& node,
                                                   SweepReading& reading);

/// The name's column, added where it is new. @return false, with a problem, for what is no swept
/// name
[[nodiscard]] bool add_column(const Field& field, std::string_view where, SweepReading& reading);

/// Appends a point; `values` may come in any order. @pre their names are columns
void add_point(const std::vector<const SweptValue*>& values, SweepReading& reading);
void add_point(const std::vector<SweptValue>& values, SweepReading& reading);

/// What a point with these values takes in memory, about.
[[nodiscard]] std::size_t bytes_of(const SweptValue& value);

/// False, with a problem, where so many points of such a size would be too many.
[[nodiscard]] bool can_hold(std::uint64_t points, std::size_t bytes_each, const Place& place,
                            SweepReading& reading);

void read_grid(const Node& node, SweepReading& reading);
void read_points(const Node& node, SweepReading& reading);
void read_search(const Node& node, SweepReading& reading);
void read_evaluation(const Node& node, SweepReading& reading);

/// What `search: {space: …}` says of one name: values to choose from, or a range.
struct Dimension {
  std::string name;
  Place place;
  std::vector<SweptValue> choices;
  double low = 0, high = 1;  ///< where there are no choices
  bool is_log = false, is_whole = false;
};

[[nodiscard]] std::vector<Dimension> read_space(const Node& node, SweepReading& reading);

/// Adds `count` different points, the same for the same space and seed; more of them where count
/// grows. Fewer, with a warning, where the space does not hold so many.
void draw_points(const std::vector<Dimension>& space, std::int64_t count, std::uint64_t seed,
                 SweepReading& reading);

}  // namespace koine::recipe
