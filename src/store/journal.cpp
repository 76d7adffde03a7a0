#include "store/journal.hpp"

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/text_file.hpp"
#include "stats/rows_json.hpp"

namespace koine::store {
namespace {

constexpr std::int64_t kLargestRecord = std::int64_t{64} << 20;

std::filesystem::path path_of(const std::filesystem::path& run, const std::string& shard) {
  return run / ".koine" / "journal" / (shard + ".json");
}

Json to_json(const TensorRecord& t) {
  return {{"name", t.seal.name},
          {"sha256", t.seal.sha256},
          {"offset", t.seal.offset},
          {"inputs", t.inputs},
          {"row", stats::to_json(t.row)}};
}

/// Tensor by tensor: the whole as a tree would be many times as large as the text.
std::string text_of(const ShardRecord& record) {
  std::string text = Json{{"shard", record.shard},
                          {"file", record.file},
                          {"sha256", record.sha256},
                          {"size", record.size},
                          {"arithmetic", record.arithmetic}}
                         .dump();
  text.back() = ',';
  text += "\"tensors\":[";
  for (const TensorRecord& tensor : record.tensors) {
    if (&tensor != record.tensors.data()) text += ',';
    text += to_json(tensor).dump();
  }
  return text + "],\"other_integers\":" + Json(record.other_integers).dump() + "}";
}

ShardRecord from_json(const Json& json) {
  ShardRecord record{
      json.at("shard"),
      json.at("file"),
      json.at("sha256"),
      json.at("size"),
      json.at("arithmetic"),
      {},
      json.at("other_integers").get<std::vector<std::pair<std::string, std::string>>>()};
  for (const Json& t : json.at("tensors")) {
    record.tensors.push_back({{t.at("name"), t.at("sha256"), t.at("offset")},
                              t.at("inputs").get<std::vector<std::string>>(),
                              stats::tensor_row_from(t.at("row"))});
  }
  return record;
}

}  // namespace

void write_record(const std::filesystem::path& run, const ShardRecord& record) {
  const std::string body = text_of(record);
  TextFile file(path_of(run, record.shard));
  file.append(sha256_of(body) + "\n");
  file.append(body);
  file.append("\n");
  file.publish();
}

std::optional<ShardRecord> read_record(const std::filesystem::path& run, const std::string& shard) {
  const auto path = path_of(run, shard);
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    const std::string text = read_text_file(path, kLargestRecord);
    const auto line_end = text.find('\n');
    if (line_end != 64 || text.back() != '\n') return std::nullopt;
    const std::string body = text.substr(65, text.size() - 66);
    if (sha256_of(body) != text.substr(0, 64)) return std::nullopt;
    ShardRecord record = from_json(Json::parse(body));
    if (record.shard != shard) return std::nullopt;
    return record;
  } catch (const InputError&) {
    return std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace koine::store
