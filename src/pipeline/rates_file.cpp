#include "pipeline/rates_file.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"

namespace koine::pipeline {
namespace {

constexpr std::string_view kSchema = "koine-rates-3";
constexpr std::int64_t kMostText = 1 << 20;
constexpr int kMostWorkers = 1 << 20;
constexpr double kLeastRate = 1;  // a second; less is a slip, and would make times endless

struct Key {
  const char* name;
  double Rates::*rate;
};

constexpr std::array<Key, 7> kKeys{{{"bytes_read_per_s", &Rates::bytes_read},
                                    {"bytes_written_per_s", &Rates::bytes_written},
                                    {"parts_per_s", &Rates::parts},
                                    {"pruned_per_s", &Rates::pruned},
                                    {"results_per_s", &Rates::results},
                                    {"gram_flops_per_s", &Rates::gram},
                                    {"space_flops_per_s", &Rates::space}}};

Rates scaled(const Rates& rates, double factor) {
  Rates result = rates;
  for (const Key& key : kKeys) result.*key.rate *= factor;
  return result;
}

/// Four digits: more were never measured.
double shortened(double value) {
  return std::stod(fmt::format("{:.4g}", value));
}

/// Values of a JSON object, each told with its place where it is missing or wrong.
class Fields {
 public:
  Fields(const Json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) throw InputError(fmt::format("{}: expected an object", where_));
  }
  [[nodiscard]] const Json& at(const char* key) const {
    const auto found = object_.find(key);
    if (found == object_.end())
      throw InputError(fmt::format("{}: '{}' is missing; koine bench --rates FILE makes such files",
                                   where_, key));
    return *found;
  }
  [[nodiscard]] double number(const char* key, double least) const {
    const Json& value = at(key);
    if (!value.is_number() || value.get<double>() < least)
      throw InputError(fmt::format("{}: '{}' is {}, expected a number of at least {:g}", where_,
                                   key, value.dump(), least));
    return value.get<double>();
  }
  [[nodiscard]] int count(const char* key) const {
    const Json& value = at(key);
    if (!value.is_number_integer() || value < 1 || value > kMostWorkers)
      throw InputError(fmt::format("{}: '{}' is {}, expected a whole number from 1 to {}", where_,
                                   key, value.dump(), kMostWorkers));
    return value.get<int>();
  }
  [[nodiscard]] std::string text(const char* key) const {
    const Json& value = at(key);
    if (!value.is_string())
      throw InputError(fmt::format("{}: '{}' is {}, expected text", where_, key, value.dump()));
    return value.get<std::string>();
  }

 private:
  const Json& object_;
  std::string where_;
};

WorkerRates row_of(const Json& object, const std::string& where) {
  const Fields fields(object, where);
  WorkerRates row;
  row.workers = fields.count("workers");
  for (const Key& key : kKeys) row.rates.*key.rate = fields.number(key.name, kLeastRate);
  return row;
}

}  // namespace

Rates MachineRates::of(int workers) const {
  const auto found =
      std::ranges::find_if(rows, [&](const WorkerRates& row) { return row.workers >= workers; });
  const Rates& rates = found == rows.end() ? rows.back().rates : found->rates;
  const double turns = static_cast<double>(workers) / static_cast<double>(most_workers);
  return turns > 1 ? scaled(rates, 1 / turns) : rates;
}

MachineRates common_machine() {
  MachineRates machine;
  machine.machine = "a common server";
  machine.source = "not measured";
  machine.most_workers = std::numeric_limits<int>::max();
  machine.rows = {{1, common_rates()}};
  return machine;
}

std::string rates_text(const MachineRates& machine) {
  Json rows = Json::array();
  for (const WorkerRates& row : machine.rows) {
    Json object{{"workers", row.workers}};
    for (const Key& key : kKeys) object[key.name] = shortened(row.rates.*key.rate);
    rows.push_back(object);
  }
  return to_text(Json{{"schema", kSchema},
                      {"machine", machine.machine},
                      {"source", machine.source},
                      {"worker", machine.has_gpus ? "gpu" : "thread"},
                      {"workers_per_machine", machine.most_workers},
                      {"storage_read_bytes_per_s", machine.storage_read},
                      {"storage_write_bytes_per_s", machine.storage_write},
                      {"rates", rows}});
}

MachineRates read_rates(const std::filesystem::path& file) {
  const std::string where = file.string();
  const Json document = parse_strict_json(read_text_file(file, kMostText), where);
  const Fields fields(document, where);
  if (const std::string schema = fields.text("schema"); schema != kSchema)
    throw InputError(
        fmt::format("{}: schema is '{}', expected '{}'; make it anew with koine bench "
                    "--rates FILE",
                    where, schema, kSchema));
  MachineRates machine;
  machine.machine = fields.text("machine");
  machine.source = fields.text("source");
  const std::string worker = fields.text("worker");
  if (worker != "gpu" && worker != "thread")
    throw InputError(fmt::format("{}: worker is '{}', expected thread or gpu", where, worker));
  machine.has_gpus = worker == "gpu";
  machine.most_workers = fields.count("workers_per_machine");
  machine.storage_read = fields.number("storage_read_bytes_per_s", 0);
  machine.storage_write = fields.number("storage_write_bytes_per_s", 0);
  const Json& rows = fields.at("rates");
  if (!rows.is_array() || rows.empty())
    throw InputError(fmt::format("{}: 'rates' is empty, expected a row of rates", where));
  for (std::size_t i = 0; i < rows.size(); ++i)
    machine.rows.push_back(row_of(rows[i], fmt::format("{}: rates[{}]", where, i)));
  std::ranges::stable_sort(machine.rows, {}, &WorkerRates::workers);
  return machine;
}

}  // namespace koine::pipeline
