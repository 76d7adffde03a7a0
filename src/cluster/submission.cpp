#include "cluster/submission.hpp"

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"

namespace koine::cluster {
namespace {

constexpr std::int64_t kLargest = std::int64_t{1} << 20;

std::filesystem::path path_of(const std::filesystem::path& work) {
  return job_folder(work) / "submit.json";
}

}  // namespace

std::filesystem::path job_folder(const std::filesystem::path& work) {
  return work / ".koine" / "job";
}

void write_submission(const std::filesystem::path& work, const Submission& submission) {
  Json jobs = Json::array();
  for (const SubmittedJob& job : submission.jobs)
    jobs.push_back({{"id", job.id}, {"purpose", job.purpose}, {"script", job.script}});
  write_file_atomically(path_of(work), to_text(Json{{"schema", "koine-submit-1"},
                                                    {"command", submission.command},
                                                    {"folder", submission.folder},
                                                    {"jobs", jobs}}));
}

std::optional<Submission> read_submission(const std::filesystem::path& work) {
  if (!std::filesystem::exists(path_of(work))) return std::nullopt;
  try {
    const Json json = Json::parse(read_text_file(path_of(work), kLargest));
    Submission submission{json.at("command"), json.at("folder"), {}};
    for (const Json& job : json.at("jobs"))
      submission.jobs.push_back({job.at("id"), job.at("purpose"), job.at("script")});
    return submission;
  } catch (const Error&) {
    return std::nullopt;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  }
}

}  // namespace koine::cluster
