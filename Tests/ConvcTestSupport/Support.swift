import Convc
