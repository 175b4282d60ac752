package dev.nibble.cli.chat;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ToolCallTest {
  /** The forms of Qwen and Hermes, Llama, and Mistral; and texts that call nothing. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "<tool_call>{\"name\": \"sky\", \"arguments\": {\"at\": \"}Rome{\", \"days\": 3}}</tool_call>|sky(at: \"}Rome{\", days: 3)",
        "{\"name\": \"sky\", \"parameters\": {}}|sky()",
        "[{\"name\": \"a\", \"arguments\": {\"x\": {\"y\": [1]}}}, {\"name\": \"b\", \"arguments\": {}}]|a(x: {\"y\": [1]}) b()",
        "{ see {\"name\": \"a\", \"arguments\": {}}|a()",
        "The name is {\"name\": \"Rome\"}, in { braces }.|''",
        "{\"name\": \"a\", \"arguments\": {|''"
      })
  void findsCalls(String answer, String calls) {
    assertThat(String.join(" ", ToolCall.in(answer).stream().map(ToolCall::shown).toList()))
        .isEqualTo(calls);
  }
}
