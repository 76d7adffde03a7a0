#include "pipeline/device_writer.hpp"

namespace koine::pipeline {

DeviceWriter::DeviceWriter(backend::DeviceLane& lane) : lane_(lane) {
  for (int buffer = 0; buffer < backend::DeviceLane::outlets; ++buffer) free_.put(buffer);
  thread_ = std::jthread([this] { run(); });
}

DeviceWriter::~DeviceWriter() {
  results_.close();
}

int DeviceWriter::room() {
  return free_.take().value();
}

void DeviceWriter::finish() {
  results_.close();
  thread_.join();
  if (failure_) std::rethrow_exception(failure_);
}

void DeviceWriter::run() {
  try {
    while (const auto result = results_.take()) {
      result->write(lane_.take(result->buffer, result->bytes));
      free_.put(result->buffer);
    }
  } catch (...) {
    failure_ = std::current_exception();
    free_.close(failure_);
  }
}

}  // namespace koine::pipeline
