"""What schemathesis doesn't know by itself: pieces of an upload are bytes, under the name that tus gives them."""

import schemathesis

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")
