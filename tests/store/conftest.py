from open_store import open_store as open_store
from open_store import store as store
