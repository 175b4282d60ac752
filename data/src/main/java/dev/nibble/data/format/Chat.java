package dev.nibble.data.format;

import dev.nibble.data.chat.ChatTemplate;
import dev.nibble.data.chat.Conversation;
import dev.nibble.data.chat.ConversationSource;
import dev.nibble.data.chat.InvalidConversation;
import dev.nibble.data.chat.SupervisedText;
import dev.nibble.data.chat.Supervision;
import dev.nibble.data.rows.Row;
import dev.nibble.jinja.JinjaException;
import dev.nibble.jinja.Span;
import dev.nibble.jinja.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * Conversations, written by a chat template. The template writes every special token, so the
 * tokenizer adds none.
 *
 * @param rows mapping from a row to a conversation
 * @param template the template that renders it
 * @param supervision selection of the messages that are trained on
 */
public record Chat(ConversationSource rows, ChatTemplate template, Supervision supervision)
    implements PromptFormat {

  @Override
  public Example example(Row row) {
    Conversation conversation = conversation(row);
    try {
      return example(SupervisedText.of(template, conversation, supervision));
    } catch (JinjaException e) {
      throw row.invalid("the chat template refuses it: " + e.getMessage() + ".");
    } catch (InvalidConversation e) {
      throw row.invalid(e);
    }
  }

  private Conversation conversation(Row row) {
    Media.refuse(row, rows.columns());
    try {
      return template.adapted(rows.conversation(row));
    } catch (InvalidConversation e) {
      throw row.invalid(e);
    }
  }

  private static Example example(SupervisedText rendered) {
    String text = rendered.text();
    List<Segment> segments = new ArrayList<>();
    int at = 0;
    int points = 0;
    for (Span span : rendered.spans()) {
      int start = text.offsetByCodePoints(at, span.start() - points);
      int end = text.offsetByCodePoints(start, span.end() - span.start());
      add(segments, text.substring(at, start), false);
      add(segments, text.substring(start, end), true);
      at = end;
      points = span.end();
    }
    add(segments, text.substring(at), false);
    return new Example(segments, false, rendered.shortfalls());
  }

  private static void add(List<Segment> segments, String text, boolean supervised) {
    if (!text.isEmpty()) {
      segments.add(new Segment(text, supervised));
    }
  }

  /** The conversation up to the assistant's last message, which is the answer. */
  @Override
  public PromptText question(Row row) {
    Conversation conversation = conversation(row);
    for (int i = conversation.messages().size() - 1; i > 0; i--) {
      if (conversation.role(i).equals(Conversation.ASSISTANT)
          && conversation.messages().get(i).get("content") instanceof Value.Text answer) {
        try {
          return new PromptText(prompt(conversation.first(i)), false, answer.text());
        } catch (JinjaException e) {
          throw row.invalid("the chat template refuses it: " + e.getMessage() + ".");
        }
      }
    }
    throw row.invalid(
        "no message of the assistant with text follows another, so there is no question.");
  }

  /**
   * The prompt that the model answers: the conversation with a generation prompt.
   *
   * @throws JinjaException when the template fails or refuses the conversation
   */
  public String prompt(Conversation conversation) {
    return template.render(conversation, true).text();
  }

  @Override
  public List<String> columns() {
    return Media.with(rows.columns());
  }

  @Override
  public String unsupervisedReason() {
    return "no message has a role among %s, each such message has '%s' 0, or its text lies beyond the largest length"
        .formatted(supervision.roles().stream().sorted().toList(), supervision.field());
  }
}
