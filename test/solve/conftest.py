import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))  # for oracle.py, which is no test itself
