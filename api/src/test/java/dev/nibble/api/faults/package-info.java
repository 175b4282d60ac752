/** A file system that fails where a test wants it to. */
@NullMarked
package dev.nibble.api.faults;

import org.jspecify.annotations.NullMarked;
