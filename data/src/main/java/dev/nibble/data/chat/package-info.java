/** Conversations, the chat templates that write them as text, and which of that text is learned. */
@NullMarked
package dev.nibble.data.chat;

import org.jspecify.annotations.NullMarked;
