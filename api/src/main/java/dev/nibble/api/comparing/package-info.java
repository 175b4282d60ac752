/**
 * How weight formats are compared: a base in each of them, measured and trained on.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.api.comparing;

import org.jspecify.annotations.NullMarked;
