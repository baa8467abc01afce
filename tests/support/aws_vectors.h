#pragma once

#include <string>
#include <vector>

namespace nexus::test {

/// A request of AWS's own suites for Signature Version 4, and what each stage of signing has to
/// come to. Host and date, which all have, are not repeated.
struct AwsVector {
  std::string name;
  std::string method;
  std::string target;
  std::string headers;  ///< a line each
  std::string body;
  std::string canonical_path;
  std::string canonical_query;
  std::string canonical_headers;
  std::string signature;
  std::string canonical_hash;  ///< the last line of the string to sign, "" where nothing tells it
};

/// `suite`: "aws-c-auth" is awslabs/aws-c-auth, tests/aws-signing-test-suite/v4 (with two of 2015),
/// AKIDEXAMPLE/20150830/us-east-1/service. "botocore" is boto/botocore,
/// tests/unit/auth/aws4_testsuite, AKIDEXAMPLE/20110909/us-east-1/host; not among them are
/// get-header-key-duplicate and get-header-value-order, which want the values of a repeated header
/// sorted: the newer suite wants them in their order.
std::vector<AwsVector> aws_vectors(const std::string& suite);

}  // namespace nexus::test
